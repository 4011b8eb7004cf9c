import { connect, type OnReadOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import type { TlsOptions } from '@godwit/client'
import { createWebSocketStream, WebSocket } from 'ws'
import { nodeTls } from '../tls-options.js'

/** Where a server is, and how it is reached; plain data, for threads. */
export interface Way {
  /** `mqtt:`, `mqtts:`, `ws:`, `wss:` or `unix:`. */
  readonly url: string
  /** The address that has answered, so that nobody asks for the name again. */
  readonly address?: string
  readonly tls?: TlsOptions
}

/** What reads from plain sockets without an object a read. */
export interface OnRead {
  readonly buffer: Uint8Array
  readonly callback: (count: number) => boolean
}

/**
 * A connection that is being made; what is written goes out when it stands. What comes is in the buffer of `onread` each time
 * its callback is called: that buffer of a plain socket, of any other a copy into it.
 */
export function dial({ url, address, tls }: Way, onread?: OnRead): Duplex {
  const { protocol, hostname, port, pathname } = new URL(url)
  if (protocol === 'unix:') return connect({ path: fileURLToPath(`file://${pathname}`), ...plain(onread) })
  const name = hostname.replace(/^\[(.*)\]$/, '$1')
  const host = address ?? name
  if (protocol === 'mqtt:') return connect({ host, port: Number(port), noDelay: true, ...plain(onread) })
  const secure = { host, port: Number(port), ...nodeTls(tls, name) }
  if (protocol === 'mqtts:') return reading(connectTls(secure).setNoDelay(true), onread)
  const socket = new WebSocket(url, ['mqtt'], { ...secure, perMessageDeflate: false })
  return reading(createWebSocketStream(socket), onread)
}

function plain(onread: OnRead | undefined): { onread?: OnReadOpts } {
  return onread ? { onread: { buffer: onread.buffer, callback: (count) => onread.callback(count) } } : {}
}

function reading(stream: Duplex, onread: OnRead | undefined): Duplex {
  if (!onread) return stream
  const { buffer, callback } = onread
  return stream.on('data', (chunk: Uint8Array) => {
    for (let at = 0; at < chunk.length; at += buffer.length) {
      const part = chunk.subarray(at, at + buffer.length)
      buffer.set(part)
      callback(part.length)
    }
  })
}
