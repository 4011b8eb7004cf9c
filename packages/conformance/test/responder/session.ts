import type { Packet, PropertiesOf, ProtocolVersion, QoS, Subscription, Will } from '@godwit/protocol'
import type { Message, World } from './world.js'

/** A connection, as far as a session sees it. */
export interface Outlet {
  readonly version: ProtocolVersion
  readonly receiveMaximum: number
  /** False when the client cannot take a packet of that size. */
  send(packet: Packet): boolean
  /** The alias under which a topic may go, and whether the client knows it already. */
  aliasOf(topic: string): { readonly alias: number; readonly known: boolean } | undefined
}

export interface Subscribed extends Subscription {
  readonly identifier: number | undefined
}

/** One copy of a message for one client. */
export interface Copy {
  readonly message: Message
  readonly qos: QoS
  readonly retain: boolean
  readonly identifiers: readonly number[]
  /** The shared subscription it was chosen by. */
  readonly group?: string
}

interface Sent {
  readonly packetId: number
  readonly copy: Copy
  /** PUBREC has come. */
  released: boolean
  /** How often it was sent again. */
  again: number
}

/** How a connection ended: by DISCONNECT, by the server after a violation, or otherwise. */
export type Left = 'disconnect' | 'violation' | 'lost'

/** What a server remembers of a client (section 4.1). */
export class Session {
  readonly subscriptions: Map<string, Subscribed> = new Map()
  /** Packet identifiers of QoS 2 messages received and not yet released. */
  readonly received: Set<number> = new Set()
  readonly clientId: string
  /** Ends with its connection. */
  expiryMs = 0
  /** The will that waits for its delay, and what calls it off. */
  pendingWill: { readonly will: Will; readonly cancel: () => void } | undefined
  /** Aliases of the client; only a server that keeps them too long looks here. */
  readonly aliases: Map<number, string> = new Map()
  stopExpiry: () => void = () => {}
  outlet: Outlet | undefined
  readonly #world: World
  readonly #queue: Copy[] = []
  #sent: Sent[] = []
  #lastId = 0
  readonly #counts = { 1: 0, 2: 0 }
  #delivered = 0
  #latestTopic = ''
  #connections = 0
  #left: Left | undefined
  /** Something was acknowledged since the last message was numbered. */
  #isNumberedAnew = false
  #overtaken: { readonly copy: Copy; readonly until: number } | undefined

  constructor(clientId: string, world: World) {
    this.clientId = clientId
    this.#world = world
  }

  /** As much is under way as the client takes at once. */
  get isFull(): boolean {
    return this.outlet !== undefined && this.#sent.length >= this.outlet.receiveMaximum
  }

  get isEmpty(): boolean {
    return this.subscriptions.size + this.received.size + this.#queue.length + this.#sent.length === 0
  }

  // ---- connection

  /** What was under way goes again, in its order [MQTT-4.4.0-1] [MQTT-4.6.0-1]; then what waited. */
  resume(outlet: Outlet, takenOver: boolean): void {
    const { mutated } = this.#world
    this.outlet = outlet
    this.#connections++
    if (this.#left && mutated(`subscriptions-end-with-${this.#left}`)) this.subscriptions.clear()
    const isMany = this.#sent.length > 2
    const under = isMany && mutated('resent-backwards') ? this.#sent.toReversed() : [...this.#sent]
    if (takenOver && mutated('nothing-resent-after-take-over')) under.length = 0
    for (const sent of under) {
      const { packetId, copy, again } = sent
      sent.again++
      // Expiry is for what has not been sent (5.0 [MQTT-4.3.3-7]).
      if (mutated('expired-not-sent-again') && copy.message.expiresAt <= this.#world.clock.now) continue
      if (sent.released) outlet.send({ type: 'pubrel', packetId })
      if (!sent.released || (again === 0 && mutated('publish-after-pubrel')))
        this.#transmit(copy, packetId, !mutated('no-dup-on-repeat')) // [MQTT-3.3.1-1]
    }
    this.#pump()
  }

  leave(how: Left): void {
    this.outlet = undefined
    this.#left = how
    const { mutated } = this.#world
    if (this.#connections > 1 && mutated('received-ids-end-with-second-connection')) this.received.clear()
    const isAlone = this.#sent.length === 1
    this.#sent = this.#sent.filter(({ copy, released, again, packetId }) => {
      if (copy.group !== undefined && mutated('shared-lost-with-connection')) return false
      if (released) return !mutated('pubrel-lost-with-connection')
      if (copy.qos === 2) return again < 2 || !mutated('qos-2-lost-after-third-time')
      return !isAlone || packetId === 1 || !mutated('later-qos-1-lost-with-connection')
    })
  }

  // ---- messages to the client

  deliver(copy: Copy): void {
    const held = this.#hold(copy)
    for (const one of held) this.#enqueue(one)
  }

  /** A correct server never lets a message be overtaken [MQTT-4.6.0-6]. */
  #hold(copy: Copy): readonly Copy[] {
    const { mutated } = this.#world
    const at = this.#delivered++
    const isSameTopic = copy.message.topic === this.#latestTopic
    this.#latestTopic = copy.message.topic
    const unordered =
      (at % 4 === 0 && copy.message.topic.split('/').length > 8 && mutated('deep-topics-unordered')) ||
      (copy.qos === 0 && at === 10 && isSameTopic && mutated('eleventh-overtaken'))
    if (unordered) {
      this.#overtaken = { copy, until: at + 2 }
      return []
    }
    if (this.#overtaken && at >= this.#overtaken.until) {
      const late = this.#overtaken.copy
      this.#overtaken = undefined
      return [copy, late]
    }
    return [copy]
  }

  #enqueue(copy: Copy): void {
    const { mutated } = this.#world
    if (copy.qos === 0) {
      if (!this.outlet) return
      this.#transmit(copy, undefined, false)
      const isShort = copy.message.qos === 0 && copy.message.payload.length === 1 && this.#grants(2)
      if (isShort && mutated('short-qos-0-twice')) this.#transmit(copy, undefined, false)
      return
    }
    if (!this.outlet && copy.qos === 2 && this.#queue.length > 0 && mutated('one-message-while-away')) return
    this.#queue.push(copy)
    this.#pump()
  }

  #grants(qos: QoS): boolean {
    return [...this.subscriptions.values()].some((one) => one.qos === qos)
  }

  /** Sends what waits, as far as the client's window goes (5.0 [MQTT-3.3.4-9]). */
  #pump(): void {
    const { mutated } = this.#world
    while (this.outlet && this.#queue.length > 0) {
      const { receiveMaximum } = this.outlet
      const most = mutated(`window-of-one-more-than-${receiveMaximum}`) ? receiveMaximum + 1 : receiveMaximum
      if (this.#sent.length >= most) return
      const copy = this.#queue.shift()!
      const isExpired = copy.message.expiresAt <= this.#world.clock.now
      if (isExpired && !mutated('expired-while-waiting-sent')) continue
      const sent = { packetId: this.#nextId(copy.qos as 1 | 2), copy, released: false, again: 0 }
      this.#sent.push(sent)
      // Too large for the client: as if it had been delivered (5.0 [MQTT-3.1.2-25]).
      const isPlain = this.expiryMs === 0 && !copy.message.dup
      const gone = this.#transmit(copy, sent.packetId, isPlain && mutated(`new-at-qos-${copy.qos}-with-dup`))
      if (gone) continue
      this.#sent.splice(this.#sent.indexOf(sent), 1)
      if (mutated('too-large-blocks-the-rest')) return void this.#queue.unshift(copy)
    }
  }

  #nextId(qos: 1 | 2): number {
    if (this.#isNumberedAnew && this.#world.mutated(`numbered-anew-after-qos-${qos}`)) {
      this.#isNumberedAnew = false
      this.#lastId = 1
      return 1
    }
    const step = this.#world.chooses('identifiers-downwards') ? 65_534 : 1
    do this.#lastId = ((this.#lastId + step - 1) % 65_535) + 1
    while (this.#sent.some(({ packetId }) => packetId === this.#lastId)) // [MQTT-2.3.1-4]
    const ofItsQoS = ++this.#counts[qos]
    const isOther = ofItsQoS !== this.#lastId && this.#world.mutated('identifiers-counted-per-qos')
    return isOther ? ofItsQoS : this.#lastId
  }

  #transmit({ message, qos, retain, identifiers }: Copy, packetId: number | undefined, dup: boolean): boolean {
    const outlet = this.outlet!
    const { mutated } = this.#world
    const isLowered = message.dup && (qos === 0 || (qos === 1 && this.#grants(2)))
    const asIncoming = isLowered && mutated(qos === 0 ? 'dup-passed-on-at-qos-0' : 'dup-passed-on')
    const packet = { type: 'publish', topic: message.topic, payload: this.#payload(message, qos), qos, retain } as const
    const properties = outlet.version === 5 ? this.#properties(message, identifiers) : undefined
    const isAliased = outlet.version === 5 && !this.#world.chooses('no-topic-aliases')
    const alias = isAliased ? outlet.aliasOf(message.topic) : undefined
    return outlet.send({
      ...packet,
      ...(alias?.known && { topic: '' }),
      dup: dup || asIncoming,
      packetId,
      ...(properties && { properties: { ...properties, ...(alias && { topicAlias: alias.alias }) } }),
    })
  }

  #payload(message: Message, qos: QoS): Uint8Array {
    // Where no payload is expected to begin, an identifier cannot be told from one.
    const isBeside = qos === 0 && message.qos === 2 && this.#sent.length > 0
    if (isBeside && this.#world.mutated('qos-0-with-identifier')) {
      return Uint8Array.of(0, 1, ...message.payload)
    }
    const { payload } = message
    if (payload.length > 65_536 && this.#world.mutated('long-payloads-cut')) return payload.subarray(0, 65_536)
    return payload
  }

  #properties(message: Message, subscriptionIdentifiers: readonly number[]): PropertiesOf<'publish'> {
    const { clock, mutated } = this.#world
    const { topicAlias: _, messageExpiryInterval, ...others } = message.properties
    const left =
      messageExpiryInterval !== undefined && mutated('expiry-not-counted-down')
        ? messageExpiryInterval
        : Math.max(1, Math.ceil((message.expiresAt - clock.now) / 1000))
    const properties: Record<string, unknown> = {
      ...others,
      ...(messageExpiryInterval !== undefined && { messageExpiryInterval: left }), // 5.0 [MQTT-3.3.2-6]
      ...(subscriptionIdentifiers.length > 0 && { subscriptionIdentifiers }),
    }
    for (const name of ['payloadFormatIndicator', 'responseTopic', 'correlationData', 'contentType']) {
      if (name in properties && mutated(`drops-${name}`)) delete properties[name]
    }
    return properties
  }

  // ---- acknowledgements of the client

  /** Gives the copy that was refused, if it was. */
  onPuback(packetId: number, reasonCode: number): Copy | undefined {
    const { mutated } = this.#world
    const isRefused = reasonCode >= 0x80
    const isFirst = this.#sent.some((one) => one.packetId === packetId && one.again === 0)
    if ((isFirst && mutated('puback-forgotten')) || (isRefused && mutated('refused-sent-again'))) return undefined
    const sent = this.#settle(packetId, 1) // 5.0 [MQTT-4.4.0-2]
    return isRefused ? sent?.copy : undefined
  }

  onPubrec(packetId: number, reasonCode: number): Packet | undefined {
    const { mutated } = this.#world
    const sent = this.#sent.find((one) => one.packetId === packetId && one.copy.qos === 2)
    if (reasonCode === 0x10 && mutated('pubrec-0x10-unanswered')) return undefined
    if (reasonCode >= 0x80) {
      if (!mutated('refused-sent-again')) this.#settle(packetId, 2) // 5.0 [MQTT-4.4.0-2]
      return undefined
    }
    const isExpired = sent !== undefined && sent.copy.message.expiresAt <= this.#world.clock.now
    if (isExpired && mutated('expired-not-finished')) return undefined // 5.0 [MQTT-4.3.3-13]
    const isTold = this.outlet?.version === 5 && !this.#world.chooses('unknown-identifiers-untold')
    if (!sent) return { type: 'pubrel', packetId, ...(isTold && { reasonCode: 0x92 }) }
    sent.released = true
    return { type: 'pubrel', packetId }
  }

  onPubcomp(packetId: number): boolean {
    return this.#settle(packetId, 2) !== undefined
  }

  #settle(packetId: number, qos: QoS): Sent | undefined {
    const settled = this.#sent.find((one) => one.packetId === packetId && one.copy.qos === qos)
    this.#sent = this.#sent.filter((one) => one !== settled)
    this.#isNumberedAnew = settled !== undefined
    this.#pump()
    return settled
  }

  /** Copies of shared subscriptions that were under way: they go to nobody else (5.0 [MQTT-4.8.2-5]). */
  get sharedUnderWay(): readonly Copy[] {
    return this.#sent.flatMap(({ copy }) => (copy.group === undefined ? [] : [copy]))
  }

  /** A server that forgets what it had begun breaks [MQTT-3.10.4-3]. */
  forgetSent(): void {
    this.#sent = []
  }
}
