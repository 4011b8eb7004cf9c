/** What `mqtt://[user[:password]@]host[:port][/topic]` says, and its like for other ways to a server. */
export interface ServerUrl {
  /** Absent: TCP. */
  readonly transport?: 'tls' | 'ws' | 'wss' | 'unix'
  /** Of a Unix domain socket: ''. */
  readonly host: string
  readonly port?: number
  readonly username?: string
  readonly password?: string
  /** Behind the slash, where a URL has no path. */
  readonly topic?: string
  /** Of a WebSocket, or of a Unix domain socket. */
  readonly path?: string
}

const transports: Readonly<Record<string, ServerUrl['transport'] | 'tcp'>> = {
  mqtt: 'tcp',
  tcp: 'tcp',
  mqtts: 'tls',
  ssl: 'tls',
  tls: 'tls',
  ws: 'ws',
  wss: 'wss',
  unix: 'unix',
}

/** For commands that know every way to a server. */
export const everyScheme: readonly string[] = ['mqtt', 'mqtts', 'ws', 'wss', 'unix']

const form = /^(?:([^:@/]*)(?::([^@/]*))?@)?(\[[^\]]+\]|[^:/@]+)(?::(\d+))?(?:\/(.*))?$/s
const usage = 'it takes mqtt://[user[:password]@]host[:port]/topic.'

/**
 * Takes the URL apart. Not with `URL`: the topic is everything after the slash, as it stands, and a filter's `#` would
 * be lost as a fragment. User name and password are percent-decoded.
 * @param schemes Those that are taken; other names of the same are too.
 * @returns The parts, or what is wrong with it.
 */
export function parseServerUrl(text: string, schemes: readonly string[] = ['mqtt']): ServerUrl | string {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text) ?? []
  if (scheme === undefined) return usage
  const transport = transports[scheme.toLowerCase()]
  if (transport === undefined || !schemes.some((one) => transports[one] === transport)) {
    return `there is no way to speak MQTT over ${scheme}${transport ? ' here' : ''}: use ${inWords(schemes)}.`
  }
  if (transport === 'unix') return /^\/./s.test(rest) ? { transport, host: '', path: rest } : 'it takes unix:///path.'
  const parts = hostAndMore(rest, transport === 'ws' || transport === 'wss' ? 'path' : 'topic')
  return typeof parts === 'string' || transport === 'tcp' ? parts : { transport, ...parts }
}

function hostAndMore(text: string, behind: 'path' | 'topic'): ServerUrl | string {
  const [, user, pass, host, port, rest = ''] = form.exec(text) ?? []
  if (host === undefined) return usage
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return 'the port is a number from 1 to 65535.'
  try {
    return {
      host: host.replace(/^\[(.*)\]$/, '$1'),
      ...(port !== undefined && { port: Number(port) }),
      ...(user !== undefined && { username: decodeURIComponent(user) }),
      ...(pass !== undefined && { password: decodeURIComponent(pass) }),
      ...(rest !== '' && (behind === 'path' ? { path: `/${rest}` } : { topic: rest })),
    }
  } catch {
    return 'in user name and password, % begins an escape such as %40 for @.'
  }
}

function inWords(schemes: readonly string[]): string {
  const urls = schemes.map((scheme) => `${scheme}://`)
  return urls.length === 1 ? `${urls[0]}` : `${urls.slice(0, -1).join(', ')} or ${urls.at(-1)}`
}
