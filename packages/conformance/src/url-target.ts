import { connect as connectTcp, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { createWebSocketStream, WebSocket } from 'ws'
import { streamOf } from './socket-target.js'
import type { ByteStream, Target, WebSocketStream } from './target.js'

export interface UrlTargetOptions {
  /** How long something expected is waited for, in milliseconds; default 5,000. */
  readonly patienceMs?: number
  /** How long nothing must come for the check to believe that nothing will, in milliseconds; default 250. */
  readonly quietMs?: number
  /** For `mqtts` and `wss`. */
  readonly tls?: ConnectionOptions
}

const ports: Readonly<Record<string, number>> = { mqtt: 1883, tcp: 1883, mqtts: 8883, ssl: 8883, ws: 80, wss: 443 }

/**
 * A server by its URL: `mqtt:`, `mqtts:`, `ws:`, `wss:` or `unix:`.
 * @throws Error for any other URL.
 */
export function urlTarget(text: string, options: UrlTargetOptions = {}): Target {
  const url = new URL(text)
  const scheme = url.protocol.slice(0, -1)
  const isUnix = scheme === 'unix'
  const port = Number(url.port || ports[scheme])
  if (!port && !isUnix)
    throw new Error(`no way to speak MQTT over ${scheme}: use mqtt://, mqtts://, ws://, wss:// or unix://`)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const { patienceMs = 5000, quietMs = 250, tls = {} } = options
  const openWebSocket = async (subprotocols: readonly string[]): Promise<WebSocketStream> => {
    const made = (offered: readonly string[]): WebSocket =>
      new WebSocket(url, [...offered], { ...tls, perMessageDeflate: false })
    try {
      return await overWebSocket(made(subprotocols))
    } catch (error) {
      // A server that chooses none breaks one rule; the others are played all the same.
      if (!/subprotocol/.test((error as Error).message)) throw error
      return overWebSocket(made([]))
    }
  }
  const isWebSocket = scheme === 'ws' || scheme === 'wss'
  const dial = async (): Promise<ByteStream> => {
    if (isWebSocket) return openWebSocket(['mqtt'])
    if (isUnix) return streamOf(await open(connectTcp({ path: fileURLToPath(`file://${url.pathname}`) }), 'connect'))
    if (scheme === 'mqtt' || scheme === 'tcp') {
      return streamOf(await open(connectTcp({ host, port, noDelay: true }), 'connect'))
    }
    return streamOf(
      await open(connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...tls }), 'secureConnect'),
    )
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
