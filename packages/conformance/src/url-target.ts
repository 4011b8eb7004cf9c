import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { createWebSocketStream, WebSocket } from 'ws'
import { streamOf } from './socket-target.js'
import type { ByteStream, Target, WebSocketStream } from './target.js'

export interface UrlTargetOptions {
  /** How long something expected is waited for, in milliseconds; default 5,000. */
  readonly patienceMs?: number
  /** How long nothing must come for the check to believe that nothing will, in milliseconds; default 250. */
  readonly quietMs?: number
  /** Files in PEM form, for `mqtts` and `wss`. */
  readonly cafile?: string
  readonly cert?: string
  readonly key?: string
  /** Take whatever certificate the server shows. Default false. */
  readonly insecure?: boolean
}

const ports: Readonly<Record<string, number>> = { mqtt: 1883, tcp: 1883, mqtts: 8883, ssl: 8883, ws: 80, wss: 443 }

/**
 * A server by its URL: `mqtt:`, `mqtts:`, `ws:` or `wss:`.
 * @throws Error for any other URL, and for a file that cannot be read.
 */
export function urlTarget(text: string, options: UrlTargetOptions = {}): Target {
  const url = new URL(text)
  const scheme = url.protocol.slice(0, -1)
  const port = Number(url.port || ports[scheme])
  if (!port) throw new Error(`no way to speak MQTT over ${scheme}: use mqtt://, mqtts://, ws:// or wss://`)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const { patienceMs = 5000, quietMs = 250, cafile, cert, key, insecure = false } = options
  const tls = {
    ...(cafile !== undefined && { ca: readFileSync(cafile) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
    rejectUnauthorized: !insecure,
  }
  const openWebSocket = (subprotocols: readonly string[]): Promise<WebSocketStream> =>
    overWebSocket(new WebSocket(url, [...subprotocols], { ...tls, perMessageDeflate: false }))
  const isWebSocket = scheme === 'ws' || scheme === 'wss'
  const dial = async (): Promise<ByteStream> => {
    if (isWebSocket) return openWebSocket(['mqtt'])
    if (scheme === 'mqtt' || scheme === 'tcp') {
      return streamOf(await open(connectTcp({ host, port, noDelay: true }), 'connect'))
    }
    const name = /[a-z]/i.test(host) && { servername: host }
    return streamOf(await open(connectTls({ host, port, ...tls, ...name }), 'secureConnect'))
  }
  return {
    patienceMs,
    sleep: (ms) => delay(ms),
    settled: () => delay(quietMs),
    ...(isWebSocket && { openWebSocket }),
    open: async () => {
      try {
        return await dial()
      } catch (error) {
        throw new Error(`cannot connect to ${text}: ${(error as Error).message}`, { cause: error })
      }
    },
  }
}

function open<S extends Duplex>(socket: S, event: string): Promise<S> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once(event, () => resolve(socket))
  })
}

/** Bytes of MQTT in binary frames [MQTT-6.0.0-1]. */
async function overWebSocket(socket: WebSocket): Promise<WebSocketStream> {
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  const stream = streamOf(createWebSocketStream(socket))
  return { ...stream, subprotocol: socket.protocol, writeText: (text) => socket.send(text) }
}
