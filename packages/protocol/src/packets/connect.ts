import { type Definition, definePacket } from '../definition.js'
import { ProtocolError } from '../errors.js'
import { u16, writeText } from '../fields.js'
import { type PropertiesOf, readProperties, writeProperties } from '../properties.js'
import type { Reader } from '../reader.js'
import { quote } from '../text.js'
import { isTopicName } from '../topic.js'
import type { ProtocolVersion, QoS } from '../version.js'
import type { Writer } from '../writer.js'
import { checkQos } from './publish.js'

/** The message the server publishes when the connection ends without DISCONNECT (section 3.1.2.5). */
export interface Will {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly properties?: PropertiesOf<'will'> | undefined
}

/** CONNECT (section 3.1): the first packet of a client. */
export interface Connect {
  readonly type: 'connect'
  readonly version: ProtocolVersion
  /**
   * The client is a bridge of another broker, which below 5.0 says so by the highest bit of the Protocol Level: 0x84, at
   * 3.1 0x83. No standard knows that; mosquitto and VerneMQ do. Default false.
   */
  readonly bridge?: boolean | undefined
  readonly clientId: string
  /** Clean Start; in 3.1 and 3.1.1 Clean Session, by which the session also ends with the connection. */
  readonly cleanStart: boolean
  /** 0 to 65,535; 0 = off. */
  readonly keepAliveSeconds: number
  readonly will?: Will | undefined
  readonly username?: string | undefined
  readonly password?: Uint8Array | undefined
  readonly properties?: PropertiesOf<'connect'> | undefined
}

const flagBits = { reserved: 1, clean: 2, will: 4, willQos: 0x18, willRetain: 0x20, password: 0x40, username: 0x80 }

export const connect: Definition<Connect> = definePacket(1, 0, read, write)

function read(r: Reader): Connect {
  const [version, bridge] = readVersion(r)
  const flags = r.u8()
  checkFlags(flags, version)
  const keepAliveSeconds = r.u16()
  const properties = version === 5 ? readProperties(r, 'connect') : undefined
  checkAuthentication(properties)
  const clientId = r.utf8() // first in the payload, always there [MQTT-3.1.3-3]
  const will = flags & flagBits.will ? readWill(r, flags, version) : undefined
  const username = flags & flagBits.username ? r.utf8() : undefined
  const password = flags & flagBits.password ? r.binary().slice() : undefined
  return {
    type: 'connect',
    version,
    ...(bridge && { bridge }),
    clientId,
    cleanStart: (flags & flagBits.clean) !== 0,
    keepAliveSeconds,
    ...(will && { will }),
    ...(username !== undefined && { username }),
    ...(password && { password }),
    ...(properties && { properties }),
  }
}

const bridgeBit = 0x80

/**
 * What the rest means depends on name and level, so nothing is read behind a pair that is not known. At 5.0 there is no
 * bridge's bit: what it asks for has options there.
 */
function readVersion(r: Reader): [version: ProtocolVersion, bridge: boolean] {
  const name = r.utf8()
  if (name !== 'MQTT' && name !== 'MQIsdp') {
    throw new ProtocolError('unsupported-protocol-name', `protocol name ${quote(name)}`) // [MQTT-3.1.2-1]
  }
  const level = r.u8()
  const isOld = name === 'MQIsdp'
  const bridge = level === (bridgeBit | (isOld ? 3 : 4))
  const version = bridge ? level & ~bridgeBit : level
  const known = isOld ? version === 3 : version === 4 || version === 5
  if (!known) {
    // A level says what is spoken only under the name that 3.1.1 and 5.0 have [MQTT-3.1.2-2].
    throw new ProtocolError('unsupported-protocol-version', `${name} level ${level}`, isOld ? undefined : level)
  }
  return [version as ProtocolVersion, bridge]
}

function checkFlags(flags: number, version: ProtocolVersion): void {
  const bad = (what: string): never => {
    throw new ProtocolError('malformed-packet', what)
  }
  if (flags & flagBits.reserved) bad('the reserved connect flag is set') // [MQTT-3.1.2-3]
  if ((flags & flagBits.willQos) === flagBits.willQos) bad('will QoS 3') // [MQTT-3.1.2-14]
  if (!(flags & flagBits.will) && flags & (flagBits.willQos | flagBits.willRetain)) bad('will flags without a will') // [MQTT-3.1.2-13] [MQTT-3.1.2-15]
  if (version < 5 && flags & flagBits.password && !(flags & flagBits.username)) bad('a password without a user name') // [MQTT-3.1.2-22]
}

function checkAuthentication(properties: Connect['properties']): void {
  if (properties?.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw new ProtocolError('protocol-error', 'authentication data without a method')
  }
}

function readWill(r: Reader, flags: number, version: ProtocolVersion): Will {
  const properties = version === 5 ? readProperties(r, 'will') : undefined
  const topic = r.topicName()
  if (topic === '') throw new ProtocolError('topic-name-invalid', 'an empty will topic')
  return {
    topic,
    payload: r.binary().slice(),
    qos: ((flags >> 3) & 3) as QoS,
    retain: (flags & flagBits.willRetain) !== 0,
    ...(properties && { properties }),
  }
}

function write(w: Writer, p: Connect): void {
  const { version, will, username, password } = p
  if (version < 5 && password !== undefined && username === undefined) {
    throw new ProtocolError('protocol-error', 'a password without a user name') // [MQTT-3.1.2-22]
  }
  w.utf8(version === 3 ? 'MQIsdp' : 'MQTT')
  if (version === 5 && p.bridge) throw new ProtocolError('protocol-error', "a bridge's level at 5.0")
  w.u8(p.bridge ? version | bridgeBit : version)
  w.u8(
    (p.cleanStart ? flagBits.clean : 0) |
      (will ? flagBits.will | (checkQos(will.qos) << 3) | (will.retain ? flagBits.willRetain : 0) : 0) |
      (password !== undefined ? flagBits.password : 0) |
      (username !== undefined ? flagBits.username : 0),
  )
  u16.write(w, p.keepAliveSeconds)
  if (version === 5) {
    checkAuthentication(p.properties)
    writeProperties(w, 'connect', p.properties)
  }
  writeText(w, p.clientId)
  if (will) {
    if (!isTopicName(will.topic)) {
      throw new ProtocolError('topic-name-invalid', `will topic ${quote(will.topic)} is not a topic name`)
    }
    if (version === 5) writeProperties(w, 'will', will.properties)
    writeText(w, will.topic)
    w.binary(will.payload)
  }
  if (username !== undefined) writeText(w, username)
  if (password !== undefined) w.binary(password)
}
