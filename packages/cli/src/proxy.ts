import type { Socket } from 'node:net'
import type { ConnectOptions } from '@godwit/client'
import { InvalidArgumentError } from 'commander'

/** What stands between this machine and the server. */
export interface ProxyServer {
  readonly kind: 'socks5' | 'http' | 'https'
  readonly host: string
  readonly port: number
  readonly username?: string
  readonly password?: string
}

const kinds: Readonly<Record<string, { readonly kind: ProxyServer['kind']; readonly port: number }>> = {
  // That the proxy looks names up, as the h says, is what both do here: this machine may not be able to.
  'socks5h:': { kind: 'socks5', port: 1080 },
  'socks5:': { kind: 'socks5', port: 1080 },
  'http:': { kind: 'http', port: 3128 },
  'https:': { kind: 'https', port: 443 },
}

/** @throws InvalidArgumentError saying what `--proxy` takes. */
export function proxy(text: string): ProxyServer {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const known = url && Object.hasOwn(kinds, url.protocol) ? kinds[url.protocol] : undefined
  if (!url || !known || url.hostname === '') {
    throw new InvalidArgumentError('it takes socks5h://[user:password@]host[:port], or http:// or https:// (CONNECT).')
  }
  return {
    kind: known.kind,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || known.port,
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
  }
}

/** Makes connections through it. What is spoken over them, TLS above all, is between this client and the server. */
export function dialThrough(way: ProxyServer): NonNullable<ConnectOptions['dial']> {
  const dial = way.kind === 'socks5' ? socks : connect
  return async ({ host, port }) => {
    try {
      return (await dial(way, host, port)).setNoDelay(true)
    } catch (error) {
      throw new Error(`the proxy ${way.host}:${way.port}: ${problemOf(error as Error)}`, { cause: error })
    }
  }
}

async function socks({ host, port, username, password }: ProxyServer, toHost: string, toPort: number): Promise<Socket> {
  const { SocksClient } = await import('socks') // only whoever goes this way pays for it
  const { socket } = await SocksClient.createConnection({
    command: 'connect',
    proxy: { host, port, type: 5, ...(username !== undefined && { userId: username, password: password ?? '' }) },
    destination: { host: toHost, port: toPort },
    timeout: 10_000,
  })
  return socket
}

/** CONNECT of HTTP (RFC 9110, section 9.3.6). */
async function connect(
  { kind, host, port, username, password }: ProxyServer,
  toHost: string,
  toPort: number,
): Promise<Socket> {
  const { request } = kind === 'http' ? await import('node:http') : await import('node:https')
  const path = `${toHost.includes(':') ? `[${toHost}]` : toHost}:${toPort}`
  const credentials = Buffer.from(`${username}:${password ?? ''}`).toString('base64')
  const headers = { host: path, ...(username !== undefined && { 'proxy-authorization': `Basic ${credentials}` }) }
  return new Promise((resolve, reject) => {
    const asked = request({
      method: 'CONNECT',
      host,
      port,
      path,
      headers,
      agent: false,
    })
    asked.on('error', reject)
    asked.setTimeout(10_000, () => asked.destroy(new Error('no answer within 10 s')))
    asked.on('response', ({ statusCode }) => {
      asked.destroy()
      reject(new Error(`it answered ${statusCode} to CONNECT; it may not be a proxy`))
    })
    asked.on('connect', ({ statusCode = 0, statusMessage }, socket, head) => {
      if (statusCode !== 200) {
        socket.destroy()
        return reject(new Error(`it refused the way to ${path}: ${statusCode} ${statusMessage}`))
      }
      socket.setTimeout(0)
      if (head.length > 0) socket.unshift(head)
      resolve(socket as Socket)
    })
    asked.end()
  })
}

function problemOf(error: Error & { readonly code?: string }): string {
  if (error.code === 'ECONNREFUSED') return 'nothing listens there; check --proxy'
  if (error.code === 'ENOTFOUND') return 'no host of that name; check --proxy'
  return error.message
}
