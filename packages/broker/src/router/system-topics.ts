/** Whether a topic is under `$SYS`: what the broker tells about itself, and nobody else may publish. */
export function isSystemTopic(topic: string): boolean {
  return topic.startsWith('$SYS') && (topic.length === 4 || topic[4] === '/')
}
