import { reason } from '@godwit/protocol'
import type { Check, Dialogue } from '../check.js'
import { CheckFailure } from '../failure.js'
import { field, fromHex, packetBytes, toHex } from '../raw-packets.js'
import { expectSessionPresent } from './expectations.js'
import { needing } from './v5/offer.js'
import { expectCode } from './v5/refusals.js'
import { closes } from './violations.js'

/** Wrong bytes on a connection of 5.0, each of which ends it. */
const closing: Readonly<Record<string, string>> = {
  'client-sends-connack-v5': '2003000000',
  'client-sends-suback-v5': '900400010000',
  'client-sends-pingresp-v5': 'd000',
  'connect-second-v5': '100f00044d5154540502003c0000026831',
  'puback-v5-prop-length-past-end': '400400070005',
  'v5-publish-unknown-prop': '3007000161027e0078',
  'v5-publish-prop-truncated': '30080001610302000078',
  'v5-publish-expiry-twice': '300f0001610a0200000001020000000178',
  'v5-publish-alias-unknown-empty-topic': '300700000323000178',
  'v5-publish-empty-topic-no-alias': '300400000078',
  'v5-publish-response-topic-wildcard': '300b00016106080003722f2378',
  'v5-publish-user-prop-bad-utf8': '300d000161082600026bff00017678',
  'v5-publish-user-prop-half': '3009000161042600016b78',
  'v5-subscribe-no-prop-length': '82020001',
  'v5-subscribe-sub-id-twice': '820b0001040b010b0200016100',
  'v5-subscribe-retain-handling-3': '820700010000016130',
  'v5-subscribe-qos3': '820700010000016103',
  'v5-share-no-local': '8210000100000a2473686172652f672f6104',
  'v5-auth-empty': 'f000',
  'v5-auth-bad-flags': 'f100',
  'v5-disconnect-bad-reason-0x05': 'e00105',
  'v5-disconnect-prop-length-past-end': 'e002007f',
  'v5-pingreq-with-body': 'c00100',
}

/** A CONNECT of 5.0 that no server accepts. */
const refused: Readonly<Record<string, string>> = {
  'connect-v5-no-prop-length': '100a00044d5154540502003c',
  'connect-v5-unknown-prop-0x7f': '101100044d5154540502003c027f0000026831',
  'connect-v5-prop-not-for-connect': '101200044d5154540502003c0323000100026831',
  'connect-v5-receive-max-0': '101200044d5154540502003c0321000000026831',
  'connect-v5-max-packet-0': '101400044d5154540502003c05270000000000026831',
  'connect-v5-request-problem-2': '101100044d5154540502003c02170200026831',
  'connect-v5-auth-data-without-method': '101300044d5154540502003c041600017800026831',
  'connect-v5-will-prop-unknown': '101b00044d5154540506003c000002683105110000000100017700016d',
  'connect-v5-will-payload-format-2': '101800044d5154540506003c000002683102010200017700016d',
}

/** Shared filters that are none. */
const badShares: Readonly<Record<string, string>> = {
  'v5-share-no-filter': '820e00010000082473686172652f6700',
  'v5-share-empty-filter': '820f00010000092473686172652f672f00',
  'v5-share-bad-filter': '8214000100000e2473686172652f672f612f232f6200',
}

export const hostileChecks50: readonly Check[] = [
  ...Object.entries(closing).map(([name, hex]) =>
    hostile(name, 'closed, whether or not DISCONNECT says why', closes(hex)),
  ),
  ...Object.entries(refused).map(([name, hex]) =>
    hostile(name, 'closed, whether or not CONNACK says why', async (t) => {
      const c = await t.open()
      c.sendHex(hex)
      await c.expectRefused()
    }),
  ),
  ...Object.entries(badShares).map(([name, hex]) =>
    hostile(name, 'SUBACK that refuses, or closed', async (t) => {
      const c = await t.connect()
      c.sendHex(hex)
      await t.settled()
      const [received, ...more] = c.heard()
      const { packet } = received ?? {}
      if (packet?.type === 'suback' && more.length === 0 && packet.reasonCodes.every((code) => code >= 0x80)) {
        return c.expectOpen()
      }
      if (received && packet?.type !== 'disconnect') {
        throw new CheckFailure('SUBACK that refuses, or the connection to be closed', `came ${toHex(received.bytes)}`)
      }
      await c.expectClosed()
    }),
  ),

  hostile('varint-padded-pingreq-v5', 'PINGRESP, or closed', async (t) => {
    const c = await t.connect()
    c.sendHex('c0 80 00')
    await t.settled()
    if (c.isClosed || c.heard()[0]?.packet?.type !== 'pingresp') return c.expectClosed()
    await c.expectOpen()
  }),

  hostile('connect-v5-max-packet-1', 'closed, with no CONNACK: none fits', async (t) => {
    const c = await t.open()
    c.send(t.connectPacket({ properties: { maximumPacketSize: 1 } }))
    await t.settled()
    const [received] = c.heard()
    if (received) throw new CheckFailure('no packet, for none fits in 1 byte', `came ${toHex(received.bytes)}`)
    await c.expectClosed()
  }),

  hostile('connect-v5-user-props-1000', 'CONNACK 0, or refused', async (t) => {
    const c = await t.open()
    const userProperties = Array.from({ length: 1000 }, () => ['k', 'v'] as const)
    c.send(t.connectPacket({ properties: { userProperties } }))
    const { packet, bytes } = await c.next('CONNACK')
    if (packet?.type !== 'connack') throw new CheckFailure('CONNACK', `came ${toHex(bytes)}`)
    if (packet.reasonCode === 0) return c.expectOpen()
    await c.expectClosed()
  }),

  hostile('v5-publish-response-topic-empty', 'taken, or closed', async (t) => {
    const c = await t.connect()
    c.sendBytes(packetBytes(0x30, field(t.topic('a')), fromHex('03 080000 78')))
    await t.settled()
    if (c.isClosed || c.heard().length > 0) return c.expectClosed()
    await c.expectOpen()
  }),

  hostile(
    'v5-receive-maximum-exceeded',
    'closed, where a lower Receive Maximum was announced',
    needing({ qos: 2 }, async (t) => {
      const c = await t.open()
      const { properties } = await c.connect(t.connectPacket())
      const most = properties?.receiveMaximum ?? 65535
      if (most >= 2000) t.skip(`does not apply: CONNACK says Receive Maximum ${most}`)
      for (let packetId = 1; packetId <= 2000 && !c.isClosed; packetId++) {
        c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId })
      }
      await t.settled()
      for (const { packet } of c.heard()) {
        if (packet?.type === 'disconnect') {
          expectCode('DISCONNECT', packet.reasonCode ?? 0, [reason.receiveMaximumExceeded])
        }
      }
      await c.expectClosed()
    }),
  ),

  hostile('v5-session-expiry-max', 'kept, or shortened as CONNACK says', async (t) => {
    const session = { clientId: t.clientId('s'), cleanStart: false, properties: { sessionExpiryInterval: 0xffffffff } }
    const first = await t.open()
    const { properties } = await first.connect(t.connectPacket(session))
    const seconds = properties?.sessionExpiryInterval ?? 0xffffffff
    if (seconds < 60) t.skip(`does not apply: CONNACK says Session Expiry Interval ${seconds}`)
    await first.drop()
    await t.sleep(3000)
    expectSessionPresent(await t.connect({ ...session, properties: {} }), true)
  }),

  hostile('v5-will-delay-max', 'the will waits, and comes when the session ends', async (t) => {
    const topic = t.topic('will')
    const watcher = await t.subscriber(topic)
    const c = await t.open()
    const will = { topic, payload: 'gone', properties: { willDelayInterval: 0xffffffff } }
    const { properties } = await c.connect(t.connectPacket({ will, properties: { sessionExpiryInterval: 4 } }))
    const seconds = properties?.sessionExpiryInterval ?? 4
    if (seconds < 2 || seconds > 10) t.skip(`does not apply: CONNACK says Session Expiry Interval ${seconds}`)
    await c.drop()
    await watcher.expectNothing()
    await t.sleep((seconds + 5) * 1000)
    await watcher.expectPublish({ topic, payload: 'gone' })
  }),

  hostile(
    'v5-message-expiry-max',
    'the message waits, and is delivered',
    needing({ qos: 1, sessions: true }, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const first = await t.subscriber(t.topic('a'), 1, session)
      await first.drop()
      const publisher = await t.connect()
      const properties = { messageExpiryInterval: 0xffffffff }
      await publisher.publish(t.topic('a'), 'x', { qos: 1, properties })
      await t.sleep(3000)
      await (await t.connect(session)).receive({ payload: 'x' })
    }),
  ),
]

function hostile(name: string, text: string, run: Dialogue): Check {
  return { id: `hostile/${name}`, version: '5.0', section: 'hostile', text, cases: [{ name: '', run }] }
}
