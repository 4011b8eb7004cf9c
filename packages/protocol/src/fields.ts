import { ProtocolError, type ProtocolErrorCode } from './errors.js'
import type { Reader } from './reader.js'
import { checkText } from './text.js'
import { isTopicName } from './topic.js'
import type { Writer } from './writer.js'

/** How one kind of value stands on the wire, and what it may be. */
export interface Field<T> {
  read(r: Reader): T
  /** @throws ProtocolError when the value may not be sent. */
  write(w: Writer, value: T): void
}

/** @param code what a value out of range is. Default: what the standard says of most, a Protocol Error. */
function integer(
  kind: 'u8' | 'u16' | 'u32' | 'varint',
  least: number,
  most: number,
  code: ProtocolErrorCode = 'protocol-error',
  name = '',
): Field<number> {
  const check = (value: number): number => {
    if (Number.isInteger(value) && value >= least && value <= most) return value
    throw new ProtocolError(code, `${name}${value} is not in ${least} to ${most}`)
  }
  return {
    read: (r) => check(r[kind]()),
    write: (w, value) => w[kind](check(value)),
  }
}

export const u16: Field<number> = integer('u16', 0, 0xffff)
export const u16FromOne: Field<number> = integer('u16', 1, 0xffff)
/** Has a reason code of its own, which 0 gets as one above the maximum does (section 3.3.2.3.4) [MQTT-3.3.2-8]. */
export const topicAlias: Field<number> = integer('u16', 1, 0xffff, 'topic-alias-invalid', 'topic alias ')
export const u32: Field<number> = integer('u32', 0, 0xffff_ffff)
export const u32FromOne: Field<number> = integer('u32', 1, 0xffff_ffff)
export const varintFromOne: Field<number> = integer('varint', 1, 268_435_455)

const zeroOrOne = integer('u8', 0, 1)

export const bit: Field<0 | 1> = {
  read: (r) => zeroOrOne.read(r) as 0 | 1,
  write: (w, value) => zeroOrOne.write(w, value),
}

export const flag: Field<boolean> = {
  read: (r) => zeroOrOne.read(r) === 1,
  write: (w, value) => w.u8(value ? 1 : 0),
}

export const utf8: Field<string> = {
  read: (r) => r.utf8(),
  write: (w, value) => writeText(w, value),
}

/** A topic that answers go to; a name, so no wildcards [MQTT-3.3.2-14]. */
export const responseTopic: Field<string> = {
  read: (r) => checkResponseTopic(r.utf8()),
  write: (w, value) => writeText(w, checkResponseTopic(value)),
}

export const binary: Field<Uint8Array> = {
  read: (r) => r.binary().slice(), // outlives the chunk it came in
  write: (w, value) => w.binary(value),
}

export const pair: Field<readonly [string, string]> = {
  read: (r) => [r.utf8(), r.utf8()], // both halves are strings [MQTT-1.5.7-1]
  write(w, both) {
    if (!Array.isArray(both))
      throw new ProtocolError('malformed-packet', 'something else where a pair of strings belongs')
    writeText(w, both[0])
    writeText(w, both[1])
  },
}

/** Writes a string after checking that it may be sent; control characters are the application's own affair here. */
export function writeText(w: Writer, text: string): void {
  w.utf8(checkText(text, true))
}

function checkResponseTopic(topic: string): string {
  if (isTopicName(topic)) return topic
  throw new ProtocolError('protocol-error', 'a response topic that is not a topic name')
}
