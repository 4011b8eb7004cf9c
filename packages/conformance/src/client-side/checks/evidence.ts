import type { Packet, PacketOf } from '@godwit/protocol'
import { inWords } from '../../describe.js'
import { CheckFailure, CheckSkipped } from '../../failure.js'
import type { Connection, Heard } from '../connection.js'
import type { ClientTrial, Play } from '../play.js'
import { connecting, publishingQos1, publishingQos2, receiving } from '../plays.js'

/** Everything that came in the plays where the client is free to do as it likes. */
export async function heardFreely(t: ClientTrial): Promise<readonly Heard[]> {
  const plays: readonly Play<Connection>[] = [connecting, publishingQos1, publishingQos2, receiving]
  const connections = await Promise.all(plays.map((play) => t.connections(play)))
  const heard = connections.flat().flatMap((connection) => connection.heard)
  if (heard.length === 0) throw new CheckSkipped('the client said nothing')
  return heard
}

/** Packets of this type that came there, by their first byte: also those that no decoder takes. */
export async function heardOf(t: ClientTrial, type: Packet['type'], typeNumber: number): Promise<readonly Heard[]> {
  const found = (await heardFreely(t)).filter(({ bytes }) => bytes[0]! >> 4 === typeNumber)
  if (found.length === 0) throw new CheckSkipped(`the client sent no ${type.toUpperCase()}`)
  return found
}

/** Fails with the first of these that does not hold. */
export function expectAll(heard: readonly Heard[], expected: string, holds: (one: Heard) => boolean): void {
  const wrong = heard.find((one) => !holds(one))
  if (wrong) throw new CheckFailure(expected, `came ${inWords(wrong)}`)
}

/** Packet identifiers of the PUBLISH packets at this QoS. */
export function publishes(connection: Connection, qos: 1 | 2): readonly PacketOf<'publish'>[] {
  return connection.packets('publish').filter((one) => one.qos === qos)
}

export function ids(packets: readonly { readonly packetId?: number | undefined }[]): readonly number[] {
  return packets.map(({ packetId }) => packetId ?? 0)
}

/** The same numbers in the same order. */
export function expectIds(what: string, came: readonly number[], wanted: readonly number[]): void {
  if (came.join() === wanted.join()) return
  throw new CheckFailure(
    `${what} with the packet identifiers ${wanted.join(', ')}`,
    `came ${came.join(', ') || 'none'}`,
  )
}

/** A field of a packet: two bytes of length, then so many. */
export function fieldAt(bytes: Uint8Array, at: number): Uint8Array | undefined {
  const length = (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0)
  return at + 2 + length <= bytes.length ? bytes.subarray(at + 2, at + 2 + length) : undefined
}

/** What follows the fixed header. */
export function bodyOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(1 + bytes.subarray(1).findIndex((byte) => byte < 128) + 1)
}

const strict = new TextDecoder('utf-8', { fatal: true })

/** Well-formed UTF-8 without U+0000. */
export function isText(bytes: Uint8Array | undefined): boolean {
  try {
    return bytes !== undefined && !strict.decode(bytes).includes('\0')
  } catch {
    return false
  }
}
