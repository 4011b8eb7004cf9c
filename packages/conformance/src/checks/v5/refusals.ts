import { encode, reason } from '@godwit/protocol'
import type { Dialogue } from '../../check.js'
import { describeValue } from '../../describe.js'
import { CheckFailure } from '../../failure.js'
import type { Received } from '../../framer.js'
import type { Peer } from '../../peer.js'
import { field, fromHex, packetBytes, u16 } from '../../raw-packets.js'
import type { Trial } from '../../trial.js'
import { flag } from '../violations.js'

interface ConnectParts50 {
  /** Default 0x10. */
  readonly firstByte?: number
  /** Default MQTT. */
  readonly protocolName?: string
  /** Default 5. */
  readonly level?: number
  /** Connect flags; default 0x02, Clean Start. */
  readonly flags?: number
  /** Length and properties in hex; default none. */
  readonly properties?: string
  /** Whole fields of the payload, in order. */
  readonly payload: readonly Uint8Array[]
}

/** A CONNECT of 5.0 with every part at the caller's choice: for those no encoder would write. */
export function connectBytes50(parts: ConnectParts50): Uint8Array {
  const { firstByte = 0x10, protocolName = 'MQTT', level = 5, flags = 0x02, properties = '00', payload } = parts
  const fixed = Uint8Array.of(level, flags)
  return packetBytes(firstByte, field(protocolName), fixed, u16(60), fromHex(properties), ...payload)
}

/** A client id and then these fields, as `flags` says; the server does not accept it. */
export function refuses50(
  parts: Omit<ConnectParts50, 'payload'>,
  fields: readonly (string | Uint8Array)[] = [],
  codes: readonly number[] = [reason.malformedPacket, reason.protocolError],
): Dialogue {
  return async (t) => {
    const c = await t.open()
    const payload = [t.clientId(), ...fields].map(field)
    c.sendBytes(connectBytes50({ ...parts, flags: (parts.flags ?? 0) | flag.cleanSession, payload }))
    await expectRefusal(c, ...codes)
  }
}

/** The server closes the connection without having accepted it; if CONNACK says why, then by one of these codes, or 0x80. */
export async function expectRefusal(c: Peer, ...codes: readonly number[]): Promise<void> {
  await c.expectRefused()
  for (const { packet } of c.heard()) {
    if (packet?.type === 'connack') expectCode('CONNACK', packet.reasonCode, codes)
  }
}

/** A client that is connected sends this: the server closes the connection; if DISCONNECT says why, then by one of these codes. */
export function ends(hex: string, codes: readonly number[] = [reason.malformedPacket, reason.protocolError]): Dialogue {
  return async (t) => {
    const c = await t.connect()
    c.sendHex(hex)
    await expectDisconnected(c, ...codes)
  }
}

/** The server closes the connection of a client; if DISCONNECT says why, then by one of these codes, or 0x80. */
export async function expectDisconnected(c: Peer, ...codes: readonly number[]): Promise<void> {
  await c.expectClosed()
  for (const { packet } of c.heard()) {
    if (packet?.type === 'disconnect') expectCode('DISCONNECT', packet.reasonCode ?? 0, codes)
  }
}

/** One of these, or 0x80: a server may always keep the reason to itself. */
export function expectCode(name: string, code: number, codes: readonly number[]): void {
  if (code === reason.unspecifiedError || codes.includes(code)) return
  const words = (value: number): string => describeValue('reasonCode', value)
  throw new CheckFailure(`${name} with ${codes.map(words).join(' or ')}, if there is one`, `it has ${words(code)}`)
}

/** Clean Start 0 with this client id, and something else that no server accepts. */
const refusable: Readonly<Record<string, (t: Trial, clientId: string) => Uint8Array>> = {
  'an authentication method nobody knows': (t, clientId) =>
    encode(t.connectPacket({ clientId, cleanStart: false, properties: { authenticationMethod: 'godwit-unknown' } }), 5),
  'the reserved connect flag': (_, clientId) => connectBytes50({ flags: flag.reserved, payload: [field(clientId)] }),
  'Receive Maximum 0': (_, clientId) =>
    connectBytes50({ flags: 0, properties: '03 21 0000', payload: [field(clientId)] }),
}

/** The dialogue, once for each kind of CONNECT that is refused. */
export function eachRefusal(
  dialogue: (t: Trial, connect: (clientId: string) => Uint8Array) => Promise<void>,
): Readonly<Record<string, Dialogue>> {
  return Object.fromEntries(
    Object.entries(refusable).map(([name, bytesOf]) => [
      name,
      (t: Trial) => dialogue(t, (clientId) => bytesOf(t, clientId)),
    ]),
  )
}

/** The CONNACK that comes: a server may as well close without one, and then there is nothing to look at. */
export async function refusingConnack(t: Trial, c: Peer): Promise<Received> {
  await t.settled()
  const [received] = c.heard()
  if (!received) t.skip('does not apply: the server refuses without a CONNACK')
  return received
}
