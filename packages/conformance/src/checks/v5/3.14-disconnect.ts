import { isReasonFor } from '@godwit/protocol'
import { type Check, check50 } from '../../check.js'
import { describe } from '../../describe.js'
import { CheckFailure } from '../../failure.js'
import type { Received } from '../../framer.js'
import { toHex } from '../../raw-packets.js'
import { eachDisconnect, eachEnding } from './disconnections.js'
import { expectLeftOut } from './packet-size.js'
import { eachRefusal } from './refusals.js'

/** What a server may not take as the first packet. */
const firstPackets: Readonly<Record<string, string>> = {
  PINGREQ: 'c0 00',
  AUTH: 'f0 00',
  'SUBSCRIBE with no filter': '82 03 0001 00',
  'packet type 0': '00 00',
}

export const disconnectChecks50: readonly Check[] = [
  check50('MQTT-3.14.0-1', {
    ...eachRefusal(async (t, connect) => {
      const c = await t.open()
      c.sendBytes(connect(t.clientId('refused')))
      await t.settled()
      expectNoDisconnect(c.heard())
    }),
    ...Object.fromEntries(
      Object.entries(firstPackets).map(([name, hex]) => [
        `${name} first`,
        async (t) => {
          const c = await t.open()
          c.sendHex(hex)
          await t.settled()
          expectNoDisconnect(c.heard())
        },
      ]),
    ),
  }),

  check50(
    'MQTT-3.14.2-1',
    eachDisconnect((_, { packet, bytes }) => {
      const code = packet?.type === 'disconnect' ? (packet.reasonCode ?? 0) : undefined
      // 0x04 is the client's alone.
      if (code !== undefined && code !== 0x04 && isReasonFor('disconnect', code)) return
      throw new CheckFailure('DISCONNECT with a reason code of its own', `came ${toHex(bytes)}`)
    }),
  ),

  check50(
    'MQTT-3.14.2-2',
    eachDisconnect((_, { packet, bytes }) => {
      if (packet?.type === 'disconnect' && packet.properties?.sessionExpiryInterval === undefined) return
      throw new CheckFailure('DISCONNECT without Session Expiry Interval', `came ${toHex(bytes)}`)
    }),
  ),

  check50(
    'MQTT-3.14.2-3',
    eachEnding((t, provoke) =>
      expectLeftOut(t, 'reasonString', async (most) => {
        return (await provoke(t, { ...(most && { maximumPacketSize: most }) })).disconnect
      }),
    ),
  ),

  check50(
    'MQTT-3.14.2-4',
    eachEnding((t, provoke) =>
      expectLeftOut(t, 'userProperties', async (most) => {
        return (await provoke(t, { ...(most && { maximumPacketSize: most }) })).disconnect
      }),
    ),
  ),

  check50(
    'MQTT-3.14.4-1',
    eachDisconnect(async (t, disconnect, { c, heard }) => {
      await t.settled()
      const [after] = [...heard.slice(heard.indexOf(disconnect) + 1), ...c.heard()]
      if (after) throw new CheckFailure('nothing after DISCONNECT', `came ${words(after)}`)
    }),
  ),

  check50(
    'MQTT-3.14.4-2',
    eachDisconnect((_, __, { c }) => c.expectClosed()),
  ),
]

function expectNoDisconnect(heard: readonly Received[]): void {
  const found = heard.find(({ packet, bytes }) => packet?.type === 'disconnect' || bytes[0] === 0xe0)
  if (found) throw new CheckFailure('no DISCONNECT before a CONNACK that accepts', `came ${words(found)}`)
}

function words({ packet, bytes }: Received): string {
  return packet ? `${describe(packet)} [${toHex(bytes)}]` : toHex(bytes)
}
