import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { encode } from '@godwit/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ListenOptions } from '../../src/index.js'
import { heapBytes } from '../garbage.js'
import { settled } from '../rig.js'
import { connectPacket } from '../test-client.js'
import { Authority, type Pair } from '../transports/certificates.js'
import { frameHeader, upgraded, upgradeRequest } from '../transports/raw-websocket.js'
import { greet, openTcp, type StartedBroker, startBroker } from '../transports/started-broker.js'

/** Connections of each kind; in its long form, `GODWIT_TEST_SLOW_LORIS=500`, the test prints what it has seen. */
const ofEach = Number(process.env.GODWIT_TEST_SLOW_LORIS ?? 10)
const tellsFigures = process.env.GODWIT_TEST_SLOW_LORIS !== undefined
/** Both of them: for what precedes MQTT, and for CONNECT. */
const timeoutMs = Math.max(300, ofEach * 10)
/** A byte of each connection that trickles. */
const trickleMs = timeoutMs / 15
const mostGrowthBytes = 8_388_608

const folder = await mkdtemp(join(tmpdir(), 'godwit-slow-'))
const path = join(folder, 'mqtt.sock')
const connectBytes = encode(connectPacket('x'.repeat(60_000)), 4)
const clientHello = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), randomBytes(507)])
const proxyHeader = `PROXY TCP4 192.0.2.7 198.51.100.1 56324 1883\r\n`
const nothing = Buffer.alloc(0)
let ca: Authority
let tls: Pair

interface Attack {
  readonly listener: ListenOptions
  /** Goes as far as it can without being slow. */
  readonly open: (port: number) => Promise<Socket>
  /** What is then said, a byte at a time. */
  readonly trickles: Uint8Array
  readonly counts: 'too slow' | 'no CONNECT in time'
}

async function openTls(port: number): Promise<Socket> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert })
  await once(socket, 'secureConnect')
  return socket
}
async function openUnix(): Promise<Socket> {
  const socket = connectTcp({ path })
  await once(socket, 'connect')
  return socket
}
async function openBehindProxy(port: number): Promise<Socket> {
  const socket = await openTcp(port)
  socket.write(proxyHeader)
  return socket
}
const openWebSocket = async (port: number): Promise<Socket> => upgraded(await openTcp(port))

const tcp = { port: 0 }
const unix = { path }
const websocket = { port: 0, websocket: {} }
const proxied = { port: 0, proxyProtocol: { from: ['127.0.0.1'] } }
const frame = Buffer.concat([frameHeader(connectBytes.length), connectBytes])
const request = Buffer.from(upgradeRequest)

/** In MQTT, the time for CONNECT is over; before it, that of the handshakes. */
const inMqtt = (listener: ListenOptions, open: Attack['open'], trickles: Uint8Array): Attack => {
  return { listener, open, trickles, counts: 'no CONNECT in time' }
}
const before = (listener: ListenOptions, open: Attack['open'], trickles: Uint8Array): Attack => {
  return { listener, open, trickles, counts: 'too slow' }
}

function attacks(): Record<string, Attack> {
  const secure = { port: 0, tls }
  return {
    'TCP, nothing said': inMqtt(tcp, openTcp, nothing),
    'TCP, CONNECT in drops': inMqtt(tcp, openTcp, connectBytes),
    'a Unix socket, nothing said': inMqtt(unix, openUnix, nothing),
    'a Unix socket, CONNECT in drops': inMqtt(unix, openUnix, connectBytes),
    'TLS, nothing said': before(secure, openTcp, nothing),
    'TLS, ClientHello in drops': before(secure, openTcp, clientHello),
    'TLS, nothing after the handshake': inMqtt(secure, openTls, nothing),
    'TLS, CONNECT in drops': inMqtt(secure, openTls, connectBytes),
    'WebSocket, nothing said': before(websocket, openTcp, nothing),
    'WebSocket, the upgrade in drops': before(websocket, openTcp, request),
    'WebSocket, nothing after the upgrade': inMqtt(websocket, openWebSocket, nothing),
    'WebSocket, the frame of CONNECT in drops': inMqtt(websocket, openWebSocket, frame),
    'secure WebSocket, the upgrade in drops': before({ ...secure, websocket: {} }, openTls, request),
    'a proxy, no header': before(proxied, openTcp, nothing),
    'a proxy, its header in drops': before(proxied, openTcp, Buffer.from(proxyHeader)),
    'a proxy, nothing after its header': inMqtt(proxied, openBehindProxy, nothing),
  }
}

/** What became of one kind. */
interface Outcome {
  ended: number
  /** How long the last of them was there once it stood, in ms. */
  longestMs: number
  /** How long the last of them took to stand: the attackers are in this process too, and wait for each other. */
  openedMs: number
}

const outcomes = new Map<string, Outcome>()
const trickling = new Set<{ readonly socket: Socket; readonly bytes: Uint8Array; at: number }>()

async function attack(name: string, { open, trickles }: Attack, port: number): Promise<void> {
  const outcome: Outcome = { ended: 0, longestMs: 0, openedMs: 0 }
  outcomes.set(name, outcome)
  const one = async (): Promise<void> => {
    const dialled = performance.now()
    const socket = (await open(port)).on('error', () => {}).resume()
    const since = performance.now()
    outcome.openedMs = Math.max(outcome.openedMs, since - dialled)
    const trickle = { socket, bytes: trickles, at: 0 }
    trickling.add(trickle)
    if (!socket.closed) await new Promise((closed) => void socket.once('close', closed)) // a reset is an end like any other
    trickling.delete(trickle)
    outcome.ended++
    outcome.longestMs = Math.max(outcome.longestMs, performance.now() - since)
  }
  await Promise.all(Array.from({ length: ofEach }, one))
}

const descriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0)

let started: StartedBroker
let served = 0
let longestServiceMs = 0
let descriptorsGrown: number
let heapGrown: number

beforeAll(async () => {
  ca = await Authority.create('Test CA')
  tls = await ca.issue('localhost')
  started = await startBroker({ limits: { connectTimeoutMs: timeoutMs } })
  const ports = new Map<ListenOptions, number>()
  const all = Object.entries(attacks())
  for (const [, { listener }] of all) {
    if (ports.has(listener)) continue
    const options = { ...listener, handshakeTimeoutMs: timeoutMs, maxHandshakes: 100_000 }
    ports.set(listener, (await started.broker.listen(options)).port)
  }
  const witness = await greet(await openTcp(ports.get(tcp)!), 'witness')
  witness.subscribe('still/there')
  await witness.next()
  await settled()
  const [openBefore, heapBefore] = [descriptors(), heapBytes()]

  const drops = setInterval(() => {
    for (const one of trickling) if (one.socket.writable) one.socket.write(one.bytes.subarray(one.at, ++one.at))
  }, trickleMs)
  let isOver = false
  const over = Promise.all(all.map(([name, one]) => attack(name, one, ports.get(one.listener)!))).then(() => {
    isOver = true
  })
  while (!isOver) {
    const since = performance.now()
    witness.publish('still/there', `${served}`, 1)
    expect((await witness.next(2)).toSorted()).toEqual(['puback 1', `publish still/there "${served}"`])
    served++
    longestServiceMs = Math.max(longestServiceMs, performance.now() - since)
    await new Promise((resolve) => void setTimeout(resolve, 10))
  }
  await over
  clearInterval(drops)
  await settled()
  descriptorsGrown = descriptors() - openBefore
  heapGrown = heapBytes() - heapBefore
  if (tellsFigures) {
    const most = (which: 'longestMs' | 'openedMs'): string =>
      Math.max(...[...outcomes.values()].map((outcome) => outcome[which])).toFixed(0)
    process.stderr.write(
      `${ofEach} of each of ${all.length} kinds, time-outs of ${timeoutMs} ms: the last stood after ${most('openedMs')} ms, the longest stayed ${most('longestMs')} ms; ` +
        `another client was served ${served} times meanwhile, at the latest after ${longestServiceMs.toFixed(0)} ms; ` +
        `${descriptorsGrown} descriptors and ${(heapGrown / 1024).toFixed(0)} KiB of heap more than before\n`,
    )
  }
}, 60_000)
afterAll(async () => {
  await started.broker.close()
  await rm(folder, { recursive: true })
})

describe('who is slow by way of', () => {
  const names: readonly (keyof ReturnType<typeof attacks>)[] = Object.keys(attacks())
  it.each(names)('%s is ended in time', (name) => {
    const { ended, longestMs, openedMs } = outcomes.get(name)!
    expect(ended).toBe(ofEach)
    // The broker's own clock ticks once a second, and a busy machine makes both ends late alike.
    expect(longestMs).toBeLessThan(2 * timeoutMs + 5_000 + openedMs)
  })
})

it('each is counted, by what it did not do in time', async () => {
  const kinds = Object.values(attacks())
  const countOf = (what: Attack['counts']): number => kinds.filter(({ counts }) => counts === what).length * ofEach
  const metrics = await started.broker.metrics()
  expect(metrics.handshakesRefused['too-slow']).toBe(countOf('too slow'))
  expect(metrics.connectTimeouts).toBe(countOf('no CONNECT in time'))
})

it('others are served meanwhile, and nothing of it is left', () => {
  expect(served).toBeGreaterThan(5)
  expect(descriptorsGrown).toBeLessThanOrEqual(0)
  expect(heapGrown).toBeLessThan(mostGrowthBytes)
})
