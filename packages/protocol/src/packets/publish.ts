import { beginPacket, type Definition, endPacket } from '../definition.js'
import { ProtocolError } from '../errors.js'
import { type PropertiesOf, readProperties, writeProperties } from '../properties.js'
import type { Reader } from '../reader.js'
import { quote } from '../text.js'
import { isTopicName } from '../topic.js'
import type { ProtocolVersion, QoS } from '../version.js'
import { checkBytes, varintSize, type Writer } from '../writer.js'

/** PUBLISH (section 3.3): an application message. */
export interface Publish {
  readonly type: 'publish'
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  /** True when it may have been sent before [MQTT-3.3.1-1]. */
  readonly dup: boolean
  /** 1 to 65,535 when `qos` is above 0; absent at QoS 0. */
  readonly packetId?: number | undefined
  readonly properties?: PropertiesOf<'publish'> | undefined
}

/**
 * A PUBLISH as the decoder gives it. The payload is `bytes[payloadStart, payloadEnd)` of what was received, valid as long
 * as that is left alone: copy it to keep it, unless it is `owned`. A view is made when first asked for, since most messages pass on without one.
 */
export class ReceivedPublish implements Publish {
  readonly type = 'publish'
  readonly topic: string
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  readonly packetId: number | undefined
  readonly properties: PropertiesOf<'publish'> | undefined
  readonly bytes: Uint8Array
  /** Where in them the topic's length stands, with the topic, the packet id and the properties behind it; -1: nowhere. */
  readonly topicStart: number
  readonly payloadStart: number
  readonly payloadEnd: number
  /** Whether `bytes` hold this packet alone and stay as they are. */
  readonly owned: boolean
  #payload: Uint8Array | undefined

  constructor(
    topic: string,
    flags: number,
    packetId: number | undefined,
    properties: PropertiesOf<'publish'> | undefined,
    bytes: Uint8Array,
    topicStart: number,
    payloadStart: number,
    payloadEnd: number,
    owned: boolean,
  ) {
    this.topic = topic
    this.qos = ((flags >> 1) & 3) as QoS
    this.retain = (flags & 1) !== 0
    this.dup = (flags & 8) !== 0
    this.packetId = packetId
    this.properties = properties
    this.bytes = bytes
    this.topicStart = topicStart
    this.payloadStart = payloadStart
    this.payloadEnd = payloadEnd
    this.owned = owned
    this.#payload = undefined
  }

  get payload(): Uint8Array {
    this.#payload ??= this.bytes.subarray(this.payloadStart, this.payloadEnd)
    return this.#payload
  }
}

/** Both may be told from the first byte, before the rest has come. */
export function checkPublishFlags(flags: number): void {
  if ((flags & 6) === 6) throw new ProtocolError('malformed-packet', 'both QoS bits set') // [MQTT-3.3.1-4]
  if ((flags & 14) === 8) throw new ProtocolError('malformed-packet', 'DUP at QoS 0') // [MQTT-3.3.1-2]
}

export const publish: Definition<Publish> = {
  code: 3,
  flags: undefined,
  read(r: Reader, flags, version) {
    const topicStart = r.position
    const topic = r.topicName()
    const packetId = (flags & 6) === 0 ? undefined : r.packetId()
    const properties = version === 5 ? readProperties(r, 'publish') : undefined
    if (topic === '' && properties?.topicAlias === undefined) {
      throw new ProtocolError(version === 5 ? 'protocol-error' : 'topic-name-invalid', 'an empty topic name')
    }
    const start = r.position
    r.position = r.end
    return new ReceivedPublish(topic, flags, packetId, properties, r.bytes, topicStart, start, r.end, r.owned)
  },
  encode(w, p, version) {
    checkPublish(p, version)
    const { payload } = p
    encodePublishHead(w, p.topic, p.qos, p.retain, p.dup, p.packetId ?? 0, p.properties, payload.length, version)
    w.copy(payload, 0, payload.length)
  },
}

function checkPublish(p: Publish, version: ProtocolVersion): void {
  const byAlias = version === 5 && p.topic === '' && p.properties?.topicAlias !== undefined
  if (!byAlias && !isTopicName(p.topic)) {
    throw new ProtocolError('topic-name-invalid', `${quote(p.topic)} is not a topic name`)
  }
  checkBytes(p.payload)
  checkQos(p.qos)
  if (p.qos === 0 ? p.packetId !== undefined : !isPacketId(p.packetId)) {
    throw new ProtocolError('protocol-error', `packet identifier ${p.packetId} at QoS ${p.qos}`) // [MQTT-2.3.1-5]
  }
  if (p.qos === 0 && p.dup) throw new ProtocolError('protocol-error', 'DUP at QoS 0') // [MQTT-3.3.1-2]
}

/** @throws ProtocolError when the id is not one that may be sent [MQTT-2.3.1-1]. */
export function checkPacketId(packetId: number): number {
  if (!isPacketId(packetId)) throw new ProtocolError('protocol-error', `packet identifier ${packetId}`)
  return packetId
}

/** @throws ProtocolError when it is not 0, 1 or 2: types do not hold everywhere. */
export function checkQos(qos: QoS): QoS {
  if (qos === 0 || qos === 1 || qos === 2) return qos
  throw new ProtocolError('protocol-error', `QoS ${qos}`)
}

function isPacketId(packetId: number | undefined): boolean {
  return Number.isInteger(packetId) && packetId! >= 1 && packetId! <= 65_535
}

/**
 * Fixed header, topic, packet id and properties of a PUBLISH; the caller writes (or sends) `payloadBytes` bytes after it.
 * For senders that know their topic to be legal: nothing is checked here.
 * @param packetId 0 at QoS 0.
 */
export function encodePublishHead(
  w: Writer,
  topic: string,
  qos: QoS,
  retain: boolean,
  dup: boolean,
  packetId: number,
  properties: PropertiesOf<'publish'> | undefined,
  payloadBytes: number,
  version: ProtocolVersion,
): void {
  const room = varintSize(topic.length + 4 + payloadBytes) // as most topics and properties have it
  const before = w.position
  const start = beginPacket(w, publishByte(qos, retain, dup), room)
  try {
    w.utf8(topic)
    if (qos > 0) w.u16(packetId)
    if (version === 5) writeProperties(w, 'publish', properties)
    endPacket(w, start, room, payloadBytes)
  } catch (error) {
    w.position = before
    throw error
  }
}

/** The first byte of a PUBLISH (section 3.3.1). */
export function publishByte(qos: QoS, retain: boolean, dup: boolean): number {
  return 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
}
