// A small correct client with faults to choose from: each check of clients must find one.
import { connect, type Socket } from 'node:net'
import type { Launch, Task } from '@godwit/conformance'
import { encode, encodeUtf8, type Packet, type PacketOf, type ProtocolVersion } from '@godwit/protocol'
import { ScriptedPeer } from '@godwit/protocol/testing'
import { type ClientFault, garbled } from './client-faults.js'

type Publish = PacketOf<'publish'>

/** The client with one fault, or none. */
export function scriptedClient(fault?: ClientFault): Launch {
  return (task) => {
    const client = new ScriptedClient(task, fault)
    return { ended: client.ended, stop: async () => client.stop() }
  }
}

class ScriptedClient {
  readonly ended: Promise<string>
  readonly #task: Task
  readonly #fault: ClientFault | undefined
  readonly #version: ProtocolVersion
  /** Sent and not acknowledged, or waiting for room. */
  #waiting: Publish[] = []
  #unacknowledged: Publish[] = []
  #released: number[] = []
  readonly #once = new Set<number>()
  #socket!: Socket
  #peer!: ScriptedPeer
  #pings: NodeJS.Timeout | undefined
  #window = 65_535
  #ended!: (why: string) => void
  #over = false
  #begun = false

  constructor(task: Task, fault: ClientFault | undefined) {
    this.#task = task
    this.#fault = fault
    this.#version = task.version === '5.0' ? 5 : 4
    this.ended = new Promise((resolve) => {
      this.#ended = resolve
    })
    this.#connect()
  }

  stop(): void {
    this.#over = true
    clearInterval(this.#pings)
    this.#socket.destroy()
    this.#ended('it was stopped')
  }

  #is(...faults: readonly ClientFault[]): boolean {
    return this.#fault !== undefined && faults.includes(this.#fault)
  }

  get #isKept(): boolean {
    return ['publish-1', 'publish-2', 'subscribe'].includes(this.#task.scenario)
  }

  #connect(): void {
    this.#peer = new ScriptedPeer(() => {}, { version: this.#version, onPacket: (packet) => this.#take(packet) })
    this.#socket = connect(Number(new URL(this.#task.url).port), '127.0.0.1')
    this.#socket.on('error', () => {})
    this.#socket.on('data', (chunk) => this.#hear(chunk))
    this.#socket.on('close', () => {
      clearInterval(this.#pings)
      if (this.#over) this.#ended('it has ended')
      else if (this.#isKept) setTimeout(() => this.#over || this.#connect(), 10)
    })
    if (this.#is('ping-first')) this.#send({ type: 'pingreq' })
    this.#send(this.#connectPacket())
  }

  #connectPacket(): Packet {
    const is = this.#task.scenario === 'connect'
    const clientId = this.#is('no-client-id') ? '' : 'scripted'
    const will = { topic: 'will/topic', payload: encodeUtf8('gone'), qos: 1 as const, retain: false }
    const credentials = { username: 'username', password: encodeUtf8('secret') }
    return {
      type: 'connect',
      version: this.#version,
      clientId,
      cleanStart: !this.#isKept,
      keepAliveSeconds: this.#task.scenario === 'idle' ? 1 : 60,
      ...(this.#isKept && this.#version === 5 && { properties: { sessionExpiryInterval: 600 } }),
      ...(is && { will, ...credentials }),
    }
  }

  #send(...packets: readonly Packet[]): void {
    for (const packet of packets) {
      this.#socket.write(garbled(encode(packet, this.#version), packet, this.#version, this.#fault))
    }
  }

  #hear(chunk: Uint8Array): void {
    try {
      this.#peer.hear(chunk)
    } catch {
      if (!this.#is('bears-anything')) this.#socket.destroy()
    }
  }

  #take(packet: Packet): void {
    if (packet.type === 'connack') this.#accepted(packet)
    else if (packet.type === 'puback') this.#acknowledged(packet.packetId)
    else if (packet.type === 'pubrec') this.#received(packet.packetId)
    else if (packet.type === 'pubcomp') this.#completed(packet.packetId)
    else if (packet.type === 'publish') this.#answer(packet)
    else if (packet.type === 'pubrel') this.#send({ type: 'pubcomp', packetId: packet.packetId })
    else if (packet.type === 'connect' && !this.#is('bears-anything')) this.#socket.destroy()
  }

  #accepted({ reasonCode, sessionPresent, properties }: PacketOf<'connack'>): void {
    const isStrange = reasonCode >= 0x80 || (sessionPresent && !this.#isKept)
    if (isStrange && !this.#is('bears-anything')) return void this.#socket.destroy()
    const keepAlive = properties?.serverKeepAlive ?? (this.#task.scenario === 'idle' ? 1 : 60)
    if (!this.#is('no-ping')) {
      this.#pings = setInterval(() => this.#send({ type: 'pingreq' }), keepAlive * 900)
    }
    if (!this.#is('ignores-limits')) this.#window = properties?.receiveMaximum ?? 65_535
    if (this.#is('sends-auth')) this.#send({ type: 'auth', reasonCode: 0x18 })
    if (this.#begun) this.#repeat()
    else this.#begin(properties)
    this.#begun = true
  }

  #begin(offer: PacketOf<'connack'>['properties'] = {}): void {
    const { scenario } = this.#task
    if (scenario === 'connect') this.#leave()
    if (scenario === 'subscribe') {
      this.#send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: 'conform/#', qos: 2 }] })
    }
    if (!scenario.startsWith('publish')) return
    for (const publish of this.#publications(this.#is('ignores-limits') ? undefined : offer)) this.#publish(publish)
    if (this.#unacknowledged.length === 0) this.#leave()
  }

  /** What the scenario is to publish, as far as the server takes it. */
  #publications(offer: PacketOf<'connack'>['properties']): readonly Publish[] {
    const { scenario } = this.#task
    if (scenario === 'publish-retained') {
      return offer?.retainAvailable === false ? [] : [{ ...this.#message(0), retain: true }]
    }
    if (scenario === 'publish-large') {
      return offer?.maximumPacketSize ? [] : [{ ...this.#message(1, 1), payload: new Uint8Array(10_000) }]
    }
    if (scenario === 'publish-alias') {
      const topicAlias = offer ? Math.min(3, offer.topicAliasMaximum ?? 0) : 3
      return [{ ...this.#message(0), ...(topicAlias > 0 && { properties: { topicAlias } }) }]
    }
    const qos = scenario === 'publish-1' ? 1 : 2
    if (qos > (offer?.maximumQos ?? 2)) return []
    return [1, 2, 3, 4, 5].map((id) => this.#message(qos, this.#is('same-id') ? 1 : id))
  }

  #message(qos: 0 | 1 | 2, packetId?: number): Publish {
    return { type: 'publish', topic: 'conform/1', payload: encodeUtf8('hi'), qos, retain: false, dup: false, packetId }
  }

  #publish(publish: Publish): void {
    const isFull = this.#unacknowledged.length + this.#released.length >= this.#window
    if (isFull) return void this.#waiting.push(publish)
    if (publish.qos > 0) this.#unacknowledged.push(publish)
    this.#send({ ...publish, dup: publish.qos > 0 && this.#is('dup-first') })
  }

  /** What was under way when the connection was lost. */
  #repeat(): void {
    const publishes = this.#is('reversed') ? this.#unacknowledged.toReversed() : this.#unacknowledged
    if (!this.#is('forgets')) this.#send(...publishes.map((one) => ({ ...one, dup: !this.#is('repeat-without-dup') })))
    if (this.#is('publish-after-pubrel')) {
      this.#send(...this.#released.map((id) => ({ ...this.#message(2, id), dup: true })))
    }
    if (!this.#is('forgets-pubrel')) {
      this.#send(...this.#released.map((packetId) => ({ type: 'pubrel' as const, packetId })))
    }
    if (this.#is('forgets', 'forgets-pubrel')) this.#leave()
  }

  #acknowledged(packetId: number): void {
    if (this.#is('repeats-refused')) return
    this.#unacknowledged = this.#unacknowledged.filter((one) => one.packetId !== packetId)
    this.#proceed()
  }

  #received(packetId: number): void {
    this.#unacknowledged = this.#unacknowledged.filter((one) => one.packetId !== packetId)
    this.#released.push(packetId)
    if (!this.#is('no-pubrel')) this.#send({ type: 'pubrel', packetId })
  }

  #completed(packetId: number): void {
    this.#released = this.#released.filter((one) => one !== packetId)
    this.#proceed()
  }

  #proceed(): void {
    const next = this.#waiting.shift()
    if (next) this.#publish(next)
    else if (this.#unacknowledged.length + this.#released.length === 0) this.#leave()
  }

  #answer({ qos, packetId = 0, payload, dup }: Publish): void {
    if (Buffer.from(payload).toString() === 'end') {
      return this.#send({ type: 'unsubscribe', packetId: 2, filters: ['conform/#'] })
    }
    const isOld = this.#is('acks-once') && (dup || this.#once.has(packetId))
    this.#once.add(packetId)
    if (qos === 0 || isOld || this.#is('no-acks')) return
    const id = this.#is('acks-others') ? packetId ^ 1 : packetId
    this.#send(qos === 1 ? { type: 'puback', packetId: id } : { type: 'pubrec', packetId: id })
  }

  #leave(): void {
    this.#send({ type: 'disconnect' })
    this.#over = true
    if (this.#is('ping-after-disconnect')) this.#send({ type: 'pingreq' })
    if (!this.#is('stays-after-disconnect')) this.#socket.end()
  }
}
