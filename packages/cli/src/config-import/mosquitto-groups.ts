import type { Group } from './mosquitto-reading.js'

/** What becomes of a plugin, with all its lines. */
export function groupInWords({ first, lines }: Group): string {
  const { option, value } = first
  const more = lines.length === 0 ? '' : ` (with ${lines.length} more ${lines.length === 1 ? 'line' : 'lines'} of it)`
  if (isDynamicSecurityPlugin(first.value)) {
    return `no plugins are loaded${more}; clients and roles of its file are read once, now, and $CONTROL topics change nothing here`
  }
  if (/go-auth|auth-plug|jwt|http/.test(value)) {
    return `no plugins are loaded${more}; auth.http asks a service, auth.jwt takes tokens, and a password file of mosquitto_passwd works`
  }
  if (/persist/.test(value)) return `no plugins are loaded${more}; data is kept on disk without one`
  if (/password.file|acl.file/.test(value)) return `no plugins are loaded${more}; the file it is given is read`
  return `no plugins are loaded${more}; ${option.startsWith('auth') ? 'auth.http asks a service of yours' : 'write what it does as a module of JavaScript, and name that under plugins'}`
}

export function isDynamicSecurityPlugin(path: string): boolean {
  return /dynamic.security/.test(path)
}

/** Whether the plugin may decide who comes in, and who may do what. */
export function guards({ first, scope }: Group): boolean {
  if (scope !== 'plugin' || /password.file|acl.file|persist/.test(first.value)) return false
  return first.option === 'auth_plugin' || /auth|jwt|ldap|sql|redis|mongo|http|security|acl/.test(first.value)
}
