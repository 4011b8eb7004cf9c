/** Options that a mosquitto.conf of a few lines has, each with a value behind a blank; ours have a colon. */
const option =
  /^ *(listener|port|bind_address|protocol|per_listener_settings|allow_anonymous|(password|acl|psk|ca|cert|key|pid)_?file|persistence(_\w+)?|log_\w+|include_dir|max_\w+|message_size_limit|connection|(auth_)?plugin\w*|user|socket_domain|require_certificate|use_identity_as_username|autosave_\w+|retain_available|sys_interval|queue_qos0_messages) +[^ ]/

/** Whether a text is a configuration of mosquitto, and none of ours. */
export function isMosquittoConf(text: string): boolean {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'))
  return lines.length > 0 && lines.filter((line) => option.test(line)).length * 2 > lines.length
}

/** Whether values are those of the file of mosquitto's dynamic security plugin. */
export function isDynamicSecurityFile(values: object): boolean {
  return 'defaultACLAccess' in values || ('clients' in values && 'roles' in values)
}
