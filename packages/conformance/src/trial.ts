import {
  encodeUtf8,
  type Packet,
  type PacketOf,
  type PropertiesOf,
  type ProtocolVersion,
  type QoS,
  type Will,
} from '@godwit/protocol'
import { CheckFailure, CheckSkipped } from './failure.js'
import { Peer } from './peer.js'
import type { PeerHost } from './peer-host.js'
import type { Target, WebSocketStream } from './target.js'

export interface ConnectOptions {
  /** Default: one of its own. */
  readonly clientId?: string
  /** Clean Session in 3.1.1. Default true; with false, the session of 5.0 is kept for an hour. */
  readonly cleanStart?: boolean
  /** Default 300. */
  readonly keepAliveSeconds?: number
  /** The payload as text; QoS 0 and not retained unless it says more. */
  readonly will?: Pick<Will, 'topic'> & Partial<Omit<Will, 'payload'>> & { readonly payload: string }
  readonly username?: string
  readonly password?: string
  /** Of 5.0. */
  readonly properties?: PropertiesOf<'connect'>
}

/** Who the peers say they are. */
export interface Credentials {
  readonly username: string
  readonly password?: string
}

/** What CONNACK of 5.0 says of the server. */
export type Offer = NonNullable<PropertiesOf<'connack'>>

export interface TrialOptions {
  /** The part of its full size that a flood has, up to 1. */
  readonly scale: number
  /** Default 4, which is 3.1.1. */
  readonly version?: ProtocolVersion
  readonly credentials?: Credentials | undefined
  /** What the server said before the run, if it speaks 5.0: in 3.1.1 it has no way to say it. Default: nothing. */
  readonly offer?: Offer | undefined
}

/** A peer that is connected. */
export interface ConnectedPeer extends Peer {
  readonly sessionPresent: boolean
}

/**
 * One run of one dialogue: names of its own, so that many can run against one server at once, the peers that play in
 * it, and what must be tidied away when it is over.
 */
export class Trial implements PeerHost {
  readonly version: ProtocolVersion
  /** What was said, line by line. */
  readonly transcript: string[] = []
  /** Client ids whose sessions outlive their connection. */
  readonly sessions: Set<string> = new Set()
  /** Topics that may have a retained message. */
  readonly retained: Set<string> = new Set()
  readonly #target: Target
  readonly #scale: number
  readonly #credentials: Credentials | undefined
  readonly #offer: Offer | undefined
  readonly #peers: Peer[] = []
  #clientIds = 0
  /** Letters and digits only, as every server must take them in a client id [MQTT-3.1.3-5]. */
  readonly #prefix: string = Math.random().toString(36).slice(2, 10).padEnd(8, '0')

  constructor(target: Target, { scale, version = 4, credentials, offer }: TrialOptions) {
    this.#credentials = credentials
    this.version = version
    this.#target = target
    this.#scale = scale
    this.#offer = offer
  }

  get patienceMs(): number {
    return this.#target.patienceMs
  }

  get maximumPacketSize(): number | undefined {
    return this.version === 4 ? this.#offer?.maximumPacketSize : undefined
  }

  /** A topic no other trial uses. */
  topic(name: string): string {
    return `godwit/${this.#prefix}/${name}`
  }

  /** A client id no other trial uses: 9 characters and the name. */
  clientId(name = ''): string {
    return `g${this.#prefix}${name}`
  }

  /** How many make up a flood of this full size. */
  scaled(fullSize: number): number {
    return Math.max(10, Math.round(fullSize * this.#scale))
  }

  /** A peer that has said nothing yet. */
  async open(name?: string): Promise<Peer> {
    const peer = new Peer(await this.#target.open(), this, name ?? `peer ${this.#peers.length + 1}`)
    this.#peers.push(peer)
    return peer
  }

  /** A peer that has said nothing yet, and the WebSocket under it. */
  async openWebSocket(...subprotocols: readonly string[]): Promise<{ peer: Peer; socket: WebSocketStream }> {
    const socket = await this.#target.openWebSocket?.(subprotocols)
    if (!socket) this.skip('needs a WebSocket target')
    const peer = new Peer(socket, this, `peer ${this.#peers.length + 1}`)
    this.#peers.push(peer)
    return { peer, socket }
  }

  /** A peer whose CONNECT has been accepted. */
  async connect(options: ConnectOptions = {}): Promise<ConnectedPeer> {
    const packet = this.connectPacket(options)
    const peer = await this.open(packet.clientId || undefined)
    const { sessionPresent } = await peer.connect(packet)
    return Object.assign(peer, { sessionPresent })
  }

  /** A connected peer with one subscription. A server may grant less than is asked for: then the dialogue ends. */
  async subscriber(filter: string, qos: QoS = 0, options: ConnectOptions = {}): Promise<ConnectedPeer> {
    const peer = await this.connect(options)
    const granted = await this.granted(peer, filter, qos)
    if (granted < qos) this.skip(`the server grants QoS ${granted} at most`)
    return peer
  }

  /** Subscribes, and gives the QoS granted. A server of 3.1.1 may take no wildcards [MQTT-3.8.3-2]: then the dialogue ends. */
  async granted(peer: Peer, filter: string, qos: QoS = 0): Promise<number> {
    const code = await peer.subscribe(filter, qos)
    if (code <= 2) return code
    if (this.version === 4 && /[+#]/.test(filter)) this.skip('does not apply: SUBACK refuses a filter with wildcards')
    throw new CheckFailure(`SUBACK that grants ${filter}`, `it has the code ${code}`)
  }

  connectPacket(options: ConnectOptions = {}): PacketOf<'connect'> {
    const { cleanStart = true, keepAliveSeconds = 300, will } = options
    const { username, password } = options.username === undefined ? { ...this.#credentials } : options
    const kept = this.version === 5 && !cleanStart ? { sessionExpiryInterval: 3600 } : undefined
    const properties = options.properties ?? kept
    return {
      type: 'connect',
      version: this.version,
      clientId: options.clientId ?? this.clientId(`c${++this.#clientIds}`),
      cleanStart,
      keepAliveSeconds,
      ...(properties && { properties }),
      ...(will && { will: { qos: 0, retain: false, ...will, payload: encodeUtf8(will.payload) } }),
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password: encodeUtf8(password) }),
    }
  }

  sleep(ms: number): Promise<void> {
    return this.#target.sleep(ms)
  }

  settled(): Promise<void> {
    return this.#target.settled()
  }

  /** Ends the dialogue: it does not apply to this server. */
  skip(reason: string): never {
    throw new CheckSkipped(reason)
  }

  note(line: string): void {
    this.transcript.push(line)
  }

  sent(packet: Packet): void {
    if (packet.type === 'publish' && packet.retain && packet.payload.length > 0) this.#retain(packet.topic)
    if (packet.type !== 'connect') return
    if (!packet.cleanStart && packet.clientId !== '') this.sessions.add(packet.clientId)
    if (packet.will?.retain) this.#retain(packet.will.topic)
  }

  #retain(topic: string): void {
    if (this.version === 4 && this.#offer?.retainAvailable === false) {
      this.skip('does not apply: CONNACK of 5.0 says Retain Available 0')
    }
    this.retained.add(topic)
  }

  /** Leaves the server as it was: no connection, no session, no retained message. */
  async finish(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.leave()))
    const sessions = [...this.sessions]
    const together = 100
    for (let i = 0; i < sessions.length; i += together) {
      await Promise.all(sessions.slice(i, i + together).map((clientId) => this.#connectAndLeave({ clientId }, [])))
    }
    if (this.retained.size > 0) await this.#connectAndLeave({}, [...this.retained])
  }

  async #connectAndLeave(options: ConnectOptions, topicsToClear: readonly string[]): Promise<void> {
    const peer = await this.connect(options)
    for (const topic of topicsToClear) await peer.publish(topic, '', { qos: 1, retain: true })
    await peer.leave()
  }
}
