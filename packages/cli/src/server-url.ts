/** What `mqtt://[user[:password]@]host[:port][/topic]` says. */
export interface ServerUrl {
  readonly host: string
  readonly port?: number
  readonly username?: string
  readonly password?: string
  readonly topic?: string
}

const form = /^([a-z][a-z0-9+.-]*):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?(\[[^\]]+\]|[^:/@]+)(?::(\d+))?(?:\/(.*))?$/is

/**
 * Takes the URL apart. Not with `URL`: the topic is everything after the slash, as it stands, and a filter's `#` would
 * be lost as a fragment. User name and password are percent-decoded.
 * @returns The parts, or what is wrong with it.
 */
export function parseServerUrl(text: string): ServerUrl | string {
  const [, scheme, user, pass, host, port, topic] = form.exec(text) ?? []
  if (scheme === undefined || host === undefined) return 'it takes mqtt://[user[:password]@]host[:port]/topic.'
  if (scheme.toLowerCase() === 'mqtts') return 'TLS comes with a later version: use mqtt://.'
  if (scheme.toLowerCase() !== 'mqtt') return `there is no way to speak MQTT over ${scheme}: use mqtt://.`
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return 'the port is a number from 1 to 65535.'
  try {
    return {
      host: host.replace(/^\[(.*)\]$/, '$1'),
      ...(port !== undefined && { port: Number(port) }),
      ...(user !== undefined && { username: decodeURIComponent(user) }),
      ...(pass !== undefined && { password: decodeURIComponent(pass) }),
      ...(topic !== undefined && topic !== '' && { topic }),
    }
  } catch {
    return 'in user name and password, % begins an escape such as %40 for @.'
  }
}
