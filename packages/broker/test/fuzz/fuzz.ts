import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ProtocolVersion } from '@godwit/protocol'
import { type Broker, createBroker, memoryPair } from '../../src/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { Random } from '../crash/random.js'
import { settled } from '../rig.js'
import { connectPacket, TestClient } from '../test-client.js'
import { mutate } from './mutation.js'
import { greetings, legal } from './seeds.js'

/** Small, so that each of them is met. */
const limits = {
  maxPacketBytes: 10_000,
  maxSessions: 35,
  maxQueuedMessages: 20,
  maxRetainedMessages: 20,
  maxOutboxBytes: 20_000,
  drainTimeoutMs: 5_000,
  sessionExpirySeconds: 30,
  maxSessionExpirySeconds: 30,
  maxConnectsPerSecond: 1_000_000_000,
}

/** Connections that say something in turn. */
const together = 16
/** Packets between two looks at what became of them. */
const packetsARound = 64
/** Rounds between two messages of the client that must be served all the while. */
const roundsAWitness = 32

/** A reason without what is different each time. */
export function kindOf(why: string): string {
  return why.replaceAll(/"(?:[^"\\]|\\.)*"/g, '"…"').replaceAll(/0x[0-9a-f]+|U\+[0-9A-F]+|\d+/gi, 'N')
}

/** Why a connection ended, and all that had been said on it. */
export interface Ending {
  readonly why: string
  readonly said: Uint8Array
}

/** A client that says what no client should. */
class FuzzClient {
  readonly version: ProtocolVersion
  readonly #stream: Duplex
  readonly #said: Uint8Array[] = []
  /** Of the last packet, what has not been sent yet. */
  #rest: Uint8Array | undefined

  constructor(stream: Duplex, version: ProtocolVersion, reads: boolean) {
    this.version = version
    this.#stream = stream
    stream.on('error', () => {}) // it was ended, as is right
    if (reads) stream.resume()
  }

  get closed(): boolean {
    return this.#stream.destroyed || this.#stream.readableEnded
  }

  get said(): Uint8Array {
    return Buffer.concat(this.#said)
  }

  /** With `cut`, what is behind it comes with the next packet: others speak in between. */
  say(bytes: Uint8Array, cut = bytes.length): void {
    const whole = this.#rest ? Buffer.concat([this.#rest, bytes]) : bytes
    const until = whole.length - (bytes.length - cut)
    this.#rest = until < whole.length ? whole.subarray(until) : undefined
    const sent = Uint8Array.from(whole.subarray(0, until))
    this.#said.push(sent)
    if (sent.length > 0 && !this.closed) this.#stream.write(sent)
  }

  leave(abruptly: boolean): void {
    if (abruptly) this.#stream.destroy()
    else this.#stream.end()
  }
}

/** Why a broker that knows nobody else ends a connection on which this is said; `undefined`: it does not. */
export async function endingOf(said: Uint8Array): Promise<string | undefined> {
  let why: string | undefined
  const broker = await createBroker({
    clock: new VirtualClock(),
    limits,
    mqtt31: true,
    sysIntervalSeconds: 0,
    log: {
      log(_level, message, fields) {
        if (message === 'client gone') why ??= String(fields?.reason)
      },
    },
  })
  const [ours, theirs] = memoryPair()
  broker.handle(theirs)
  ours.on('error', () => {}).resume()
  ours.write(said)
  await settled()
  const found = why
  await broker.close()
  return found
}

/** Many clients that send mutated packets to one broker, and one that it must serve all the while. */
export class Fuzz {
  /** What must never happen: internal errors, a witness not served. */
  readonly findings: string[] = []
  /** The first connection that ended for each reason. */
  readonly endings = new Map<string, Ending>()
  /** Packets said. */
  packets = 0
  connections = 0
  readonly #random: Random
  readonly #clock = new VirtualClock()
  readonly #clients = new Map<string, FuzzClient>()
  #broker!: Broker
  #witness!: TestClient

  constructor(seed: number) {
    this.#random = new Random(seed)
  }

  get broker(): Broker {
    return this.#broker
  }

  async start(): Promise<this> {
    this.#broker = await createBroker({
      clock: this.#clock,
      limits,
      mqtt31: true,
      sysIntervalSeconds: 0,
      log: { log: (level, message, fields) => this.#noteLine(level, message, fields ?? {}) },
    })
    const [ours, theirs] = memoryPair()
    this.#broker.handle(theirs)
    this.#witness = new TestClient(ours, 'witness', settled).read()
    this.#witness.send(connectPacket('witness')).subscribe('witness/#', 1)
    await this.#witness.heard()
    return this
  }

  #noteLine(level: string, message: string, fields: Record<string, unknown>): void {
    const { address, reason } = fields as { address?: string; reason?: string }
    if (level === 'error') this.findings.push(`${message} ${JSON.stringify(fields)} after ${this.packets} packets`)
    if (message !== 'client gone' || address === undefined || reason === undefined) return
    const said = this.#clients.get(address)?.said
    this.#clients.delete(address)
    const kind = kindOf(reason)
    if (said && !this.endings.has(kind)) this.endings.set(kind, { why: reason, said })
  }

  async run(packets: number): Promise<void> {
    const end = this.packets + packets
    for (let round = 0; this.packets < end; round++) {
      for (let n = 0; n < packetsARound; n++) this.#sayOne()
      for (let turn = 0; turn < 3; turn++) await nextTurn()
      this.#clock.advance(this.#random.between(0, 300))
      if (round % roundsAWitness === 0) await this.#checkWitness()
    }
    await this.#checkWitness()
  }

  #sayOne(): void {
    const random = this.#random
    this.packets++
    while (this.#clients.size < together) this.#open()
    const [address, client] = random.pick([...this.#clients])
    if (client.closed) return void this.#clients.delete(address) // it had nothing to be told about
    if (random.chance(0.02)) return client.leave(random.chance(0.5))
    const packet = random.pick(legal[client.version])
    const bytes = random.chance(0.5) ? packet : mutate(packet, random, legal[random.pick([3, 4, 5] as const)])
    client.say(bytes, random.chance(0.2) ? random.between(0, bytes.length) : undefined)
  }

  #open(): void {
    const random = this.#random
    const { version, bytes } = random.pick(greetings)
    const [ours, theirs] = memoryPair()
    const address = `fuzz-${this.connections++}`
    const client = new FuzzClient(ours, version, random.chance(0.95))
    this.#clients.set(address, client)
    this.#broker.handle(theirs, { transport: 'memory', address })
    if (random.chance(0.9)) client.say(random.chance(0.9) ? bytes : mutate(bytes, random, [bytes]))
  }

  /** Its own message comes back to it. */
  async #checkWitness(): Promise<void> {
    const text = `${this.packets}`
    this.#witness.publish('witness/alive', text, 1, 1)
    const heard = await this.#witness.heard()
    const served =
      heard.includes('puback 1') && heard.some((line) => line.startsWith(`publish witness/alive "${text}"`))
    if (!served) this.findings.push(`the witness was not served after ${text} packets; it heard: ${heard.join(', ')}`)
    const id = heard.join().match(/ id (\d+)/)?.[1]
    if (id !== undefined) this.#witness.puback(Number(id))
  }

  /** Everybody but the witness leaves, and what they left behind expires. */
  async rest(): Promise<void> {
    for (const client of this.#clients.values()) client.leave(true)
    await settled()
    this.#clients.clear()
    this.#clock.advance(120_000)
    await settled()
  }

  async stop(): Promise<void> {
    await this.#broker.close()
    await settled()
  }
}
