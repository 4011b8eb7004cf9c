/** Whether a topic is under `$SYS`: what the broker tells about itself, and nobody else may publish. */
export function isSystemTopic(topic: string): boolean {
  return topic.startsWith('$SYS') && (topic.length === 4 || topic[4] === '/')
}

/** Where a bridge says whether it stands: `$SYS/broker/connection/NAME/state`, as mosquitto has it. */
export function isBridgeState(topic: string): boolean {
  return topic.startsWith('$SYS/broker/connection/') && topic.endsWith('/state')
}
