import {
  type Connect,
  Decoder,
  encode,
  isReasonFor,
  type Packet,
  ProtocolError,
  type ProtocolVersion,
  reason,
  type Will,
} from '@godwit/protocol'
import type { ByteStream } from '../../src/target.js'
import { formsOf, wordsKept } from './forms.js'
import { frameEnd } from './frames.js'
import { garble } from './garbling.js'
import { handle } from './handlers.js'
import { byKind, isSorted } from './kinds.js'
import type { Registry } from './registry.js'
import type { Router } from './router.js'
import type { Left, Outlet, Session } from './session.js'
import { toleratedBy } from './tolerances.js'
import type { World } from './world.js'

/** What all connections share. */
export interface Services {
  readonly world: World
  readonly router: Router
  readonly registry: Registry
}

const connectTimeoutMs = 30_000
/** One connection: bytes to packets and back, its time-outs and its end. */
export class Link implements Outlet {
  readonly services: Services
  version: ProtocolVersion = 4
  receiveMaximum = 65_535
  session: Session | undefined
  will: Will | undefined
  closed = false
  /** 5.0: topics by the client's alias. */
  readonly aliases: Map<number, string> = new Map()
  /** QoS and identifier of each message that came: of no meaning once it is acknowledged. */
  readonly seen: Set<string> = new Set()
  #maximumPacketSize = Number.POSITIVE_INFINITY
  #wantsWords = true
  #ownAliases = new Map<string, number>()
  #ownAliasMaximum = 0
  #left = new Uint8Array(0)
  #stopTimer: () => void
  #keepAliveMs = 0
  #sentAt = 0
  #held: Packet[] = []
  /** Replies to what came together, while they are sorted. */
  #gathered: Packet[] | undefined
  readonly #deliveries: { readonly topic: string; readonly publish: () => void }[] = []
  #refusing = false
  #writes = 0
  /** What is handled now is the last of what came together. */
  #isLast = false
  #isDeaf = false
  #ponged = false
  #onData: (chunk: Uint8Array) => void = () => {}
  #onClose: () => void = () => {}

  constructor(services: Services) {
    this.services = services
    this.#stopTimer = services.world.clock.after(connectTimeoutMs, () => {
      if (!services.world.mutated('no-connect-time-out')) this.end()
    })
  }

  /** The client's end. */
  get stream(): ByteStream {
    return {
      write: (bytes) => this.#receive(bytes),
      end: () => {
        if (!this.services.world.mutated('half-close-ignored')) this.#leave('lost')
      },
      destroy: () => this.#leave('lost'),
      onData: (listener) => {
        this.#onData = listener
      },
      onClose: (listener) => {
        this.#onClose = listener
      },
    }
  }

  // ---- in

  /** What comes has come together with CONNECT. */
  get isFirstWrite(): boolean {
    return this.#writes === 1
  }

  #receive(bytes: Uint8Array): void {
    if (this.closed || this.#isDeaf) return
    const all = new Uint8Array(this.#left.length + bytes.length)
    all.set(this.#left)
    all.set(bytes, this.#left.length)
    let from = 0
    this.#ponged = false
    this.#writes++
    if (isSorted(this.services.world)) this.#gathered = []
    for (let end = frameEnd(all, from); end !== undefined && !this.closed; end = frameEnd(all, from)) {
      this.#isLast = end === all.length
      this.#take(all.subarray(from, end))
      from = end
    }
    this.#left = this.services.world.mutated('rest-forgotten') ? new Uint8Array(0) : all.slice(from)
    this.#deliverAll()
    this.#sendHeld()
    this.#sendGathered()
    if (this.#refusing) this.#leave('violation')
  }

  /** A message is on its way: at once, or when all that came together has been seen. */
  deliver(topic: string, publish: () => void): void {
    if (!this.services.world.chooses('topics-apart')) return publish()
    this.#deliveries.push({ topic, publish })
  }

  #deliverAll(): void {
    const later = this.#deliveries.splice(0)
    for (const { publish } of later.toSorted((a, b) => (a.topic < b.topic ? 1 : a.topic > b.topic ? -1 : 0))) publish()
  }

  #take(frame: Uint8Array): void {
    this.#heard()
    if (frame.length > 5000 && this.services.world.mutated('deaf-after-long-packets')) this.#isDeaf = true
    if (this.#isDeaf) return
    const isTooLarge = frame.length > 1000 && this.services.world.chooses('packets-of-1000-bytes')
    if (isTooLarge && this.version === 5 && this.session) return this.end(reason.packetTooLarge)
    try {
      const decoder = new Decoder({ version: this.version, allowControlCharacters: true })
      decoder.push(frame)
      const packet = decoder.next()
      if (!packet) throw new ProtocolError('malformed-packet', 'a remaining length of more than 4 bytes')
      handle(this, packet)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      const refusal = this.#refusalOf(error, frame)
      if (refusal) this.send(refusal)
      else this.#fail(error, frame)
    }
  }

  /** A violation ends the connection [MQTT-4.8.0-1]; a mutated rule is none. */
  #fail(error: ProtocolError, frame: Uint8Array): void {
    const { mutated } = this.services.world
    const isConnect = frame[0]! >> 4 === 1 && !this.session
    if (isConnect) this.version = frame[8] === 5 ? 5 : 4
    const taken = toleratedBy(mutated, { error, frame, version: this.version })
    if (mutated('deaf-after-a-violation')) this.#isDeaf = true
    if (this.#isDeaf) return
    if (taken) {
      if (isConnect) return handle(this, anyConnect(this.version))
      return taken.packets.forEach((packet) => void this.send(packet))
    }
    if (!this.session && !isConnect && mutated('first-packet-told-off')) this.#onData(Uint8Array.of(0xe0, 1, 0x82))
    if (!isConnect) return this.end(error.reasonCode)
    if (error.code === 'unsupported-protocol-version') return this.#refuseLevel(frame)
    if (this.version === 5 && this.services.world.chooses('closes-without-a-word')) return this.end()
    if (this.version === 5) return this.refuse(error.reasonCode, error.message.includes('0 is not in 1 to 65535'))
    const tells = frame.length === 11 && mutated('connack-for-half-a-keep-alive')
    const tellsOther = error.message.startsWith('bytes left over') && mutated('connack-for-left-over-bytes')
    if (tells || tellsOther) return this.refuse(reason.notAuthorized) // else silent [MQTT-3.2.2-6]
    this.end()
  }

  /** SUBACK for a filter that is none, in place of the end. */
  #refusalOf({ message }: ProtocolError, frame: Uint8Array): Packet | undefined {
    const isFilter = frame[0] === 0x82 && /"[^"]+" is not/.test(message)
    if (!isFilter || !this.services.world.chooses('filters-refused')) return undefined
    return { type: 'suback', packetId: frame[2]! * 256 + frame[3]!, reasonCodes: [this.version === 5 ? 0x8f : 0x80] }
  }

  /** An unknown level is told so in the form of 3.1.1 [MQTT-3.1.2-2]. */
  #refuseLevel(frame: Uint8Array): void {
    this.version = 4
    if (this.services.world.mutated('unknown-level-closed-silently')) return this.end()
    const wasKept = (frame[9]! & 2) === 0 && this.services.world.mutated('present-in-refusal')
    if (wasKept) this.#onData(Uint8Array.of(0x20, 2, 1, 1))
    else this.send({ type: 'connack', sessionPresent: false, reasonCode: reason.unsupportedProtocolVersion })
    if (frame[8]! > 6 && this.services.world.mutated('open-after-level-refused')) return
    this.#endRefused()
  }

  /**
   * A CONNACK that refuses, and the end [MQTT-3.2.2-5].
   * @param mayFail some faults are for Receive Maximum 0 alone
   */
  refuse(reasonCode: number, mayFail = false): void {
    const { mutated } = this.services.world
    const code = isReasonFor('connack', reasonCode) ? reasonCode : reason.malformedPacket
    const isSpoilt = mayFail && this.#isLast
    if (isSpoilt && mutated('refusing-connack-with-flags')) this.#onData(Uint8Array.of(0x20, 3, 2, code, 0))
    else if (isSpoilt && mutated('refusing-connack-with-other-code')) this.#onData(Uint8Array.of(0x20, 3, 0, 0x8e, 0))
    else
      this.send({
        type: 'connack',
        sessionPresent: this.version === 5 && mutated('present-in-refusal'),
        reasonCode: code,
      })
    if (isSpoilt && mutated('open-after-refusal')) return
    this.#endRefused()
  }

  #endRefused(): void {
    // Whatever comes after a refusal is not looked at [MQTT-3.1.4-5].
    if (!this.services.world.mutated('reads-on-after-refusal')) return this.#leave('violation')
    this.#refusing = true
    this.version = 4
  }

  /** Each PINGREQ has its PINGRESP [MQTT-3.12.4-1]. */
  pong(): void {
    if (this.session?.isFull && this.services.world.mutated('full-window-holds-all')) return
    if (this.services.world.mutated('pings-unanswered')) return
    if (this.#ponged && this.services.world.mutated('one-pingresp-a-write')) return
    this.#ponged = true
    this.send({ type: 'pingresp' })
  }

  // ---- time

  /** Keep Alive begins, one and a half times as long as the client says [MQTT-3.1.2-24]. */
  keepAlive(seconds: number): void {
    const isOff = seconds === 0 && !this.services.world.mutated('keep-alive-0-means-5')
    this.#keepAliveMs = isOff ? 0 : 1500 * (seconds || 5)
    this.#stopTimer()
    this.#heard()
  }

  #heard(): void {
    if (this.#keepAliveMs === 0 || this.closed) return
    this.#stopTimer()
    this.#stopTimer = this.services.world.clock.after(this.#keepAliveMs, () => this.#timeOut())
  }

  #timeOut(): void {
    const { clock, mutated } = this.services.world
    const isBusy = clock.now - this.#sentAt < this.#keepAliveMs
    if (isBusy && mutated('sending-counts-for-keep-alive')) return this.#heard()
    this.end(reason.keepAliveTimeout)
  }

  // ---- out

  /** What the client can take, and how (5.0, section 3.1.2.11). */
  setTerms({ properties = {}, cleanStart }: Connect): void {
    this.receiveMaximum = properties.receiveMaximum ?? 65_535
    this.#maximumPacketSize = properties.maximumPacketSize ?? Number.POSITIVE_INFINITY
    this.#wantsWords = properties.requestProblemInformation ?? true
    const { mutated } = this.services.world
    const most = properties.topicAliasMaximum ?? 0
    const isUnasked = cleanStart && properties.topicAliasMaximum === 0 && mutated('aliases-for-maximum-0')
    this.#ownAliasMaximum = isUnasked || mutated(`one-alias-more-than-${most}`) ? most + 1 : most
  }

  aliasOf(topic: string): { readonly alias: number; readonly known: boolean } | undefined {
    const known = this.#ownAliases.get(topic)
    if (known !== undefined) return { alias: known, known: true }
    if (this.#ownAliases.size >= this.#ownAliasMaximum) return undefined
    const alias = this.#ownAliases.size + 1
    this.#ownAliases.set(topic, alias)
    return { alias, known: false }
  }

  send(packet: Packet): boolean {
    if (this.closed) return false
    const { mutated } = this.services.world
    this.#sentAt = this.services.world.clock.now
    const isAlone = this.#isLast && this.#held.length === 0
    if (!isAlone && mutated(packet.type === 'connack' ? 'connack-last' : `${packet.type}s-reversed`)) {
      this.#held.unshift(packet)
      return true
    }
    const isResumption = packet.type === 'publish' || packet.type === 'pubrel'
    if (isResumption && this.#held.some(({ type }) => type === 'connack')) {
      this.#held.push(packet)
      return true
    }
    if (!this.#gathered || packet.type === 'disconnect' || !this.#fits(packet)) return this.#write(packet)
    this.#gathered.push(packet)
    return true
  }

  #sendGathered(): void {
    const gathered = this.#gathered ?? []
    this.#gathered = undefined
    for (const packet of byKind(gathered, this.services.world)) this.#write(packet)
  }

  #sendHeld(): void {
    for (const packet of this.#held.splice(0)) this.#write(packet)
  }

  #write(packet: Packet): boolean {
    if (packet.type === 'connack' && this.#refusing) return false // only ever by a mutation: refused is refused
    const { mutated } = this.services.world
    const forms = this.#forms(packet)
    const fitting = forms.find((form) => this.#isSmallEnough(form)) // 5.0 [MQTT-3.1.2-24]
    const unfitting = fitting === forms[0] ? undefined : this.#unfitting(forms, fitting !== undefined)
    const sent = unfitting ?? fitting
    if (sent) {
      this.#tell(garble(sent, this.#encoded(sent), mutated))
      return true
    }
    // Who cannot be answered cannot be served: its connection ends, with a DISCONNECT if that fits.
    if (packet.type === 'connack') this.#leave('violation')
    else if (packet.type !== 'publish' && packet.type !== 'disconnect') this.end(reason.packetTooLarge)
    return false
  }

  #tell(bytes: Uint8Array): void {
    if (!this.services.world.chooses('in-pieces')) return this.#onData(bytes)
    const most = Math.ceil(bytes.length / 100)
    for (let i = 0; i < bytes.length; i += most) this.#onData(bytes.subarray(i, i + most))
  }

  #fits(packet: Packet): boolean {
    return this.#forms(packet).some((form) => this.#isSmallEnough(form))
  }

  #isSmallEnough(form: Packet): boolean {
    return this.#encoded(form).length <= this.#maximumPacketSize
  }

  #encoded(form: Packet): Uint8Array {
    const isRepeated = form.type === 'publish' && form.qos === 0 && form.dup // only ever by a mutation
    return encode(isRepeated ? { ...form, dup: false } : form, this.version)
  }

  /** What is sent, by a mutation, though the client cannot take it. */
  #unfitting(forms: readonly Packet[], otherwiseFits: boolean): Packet | undefined {
    const { mutated } = this.services.world
    const { type } = forms[0]!
    if (!otherwiseFits) return mutated(`maximum-packet-size-ignored-in-${type}`) ? forms.at(-1) : undefined
    const at = wordsKept.findIndex((kept) => mutated(`${kept}-kept-in-${type}`))
    return at < 0 ? undefined : forms[at + 1]
  }

  /** A packet with all it may say, then with less. */
  #forms(packet: Packet): readonly Packet[] {
    if (this.version < 5) return [packet]
    return formsOf(packet, this.#wantsWords, this.services.world)
  }

  /** The server ends the connection; 5.0 says why. */
  end(reasonCode?: number): void {
    if (this.closed) return
    this.#sendHeld()
    this.#sendGathered()
    const isTold = reasonCode === reason.sessionTakenOver || !this.services.world.chooses('closes-without-a-word')
    if (this.version === 5 && this.session && reasonCode !== undefined && isTold) {
      const code = isReasonFor('disconnect', reasonCode) ? reasonCode : reason.protocolError
      const isAfterASecond = code === reason.keepAliveTimeout && this.#keepAliveMs === 1500
      this.#sayWhy(code, isAfterASecond)
      if (isAfterASecond && this.services.world.mutated('open-after-time-out')) return
    }
    this.#leave('violation')
  }

  /** @param mayFail some faults are for the shortest Keep Alive alone */
  #sayWhy(reasonCode: number, mayFail: boolean): void {
    const { mutated } = this.services.world
    if (mayFail && mutated('time-out-with-code-of-connack')) return this.#onData(Uint8Array.of(0xe0, 1, 0x85))
    const properties = mutated('disconnect-with-expiry') ? { sessionExpiryInterval: 0 } : {}
    this.#write({ type: 'disconnect', reasonCode, properties })
    if (mayFail && mutated('pingresp-after-time-out')) this.#write({ type: 'pingresp' })
  }

  /** DISCONNECT has come: no will [MQTT-3.14.4-3]. */
  endByClient(withWill: boolean): void {
    this.#leave(withWill ? 'lost' : 'disconnect')
  }

  #leave(how: Left): void {
    if (this.closed) return
    this.#deliverAll()
    this.#sendGathered()
    this.closed = true
    this.#stopTimer()
    const { session, will } = this
    if (session?.outlet === this) this.services.registry.leave({ session, will, how })
    this.#onClose()
  }
}

/** What a server takes for a CONNECT it should not have understood. */
function anyConnect(version: ProtocolVersion): Connect {
  const clientId = `tolerated-${version}`
  return { type: 'connect', version, clientId, cleanStart: true, keepAliveSeconds: 60 }
}
