import type { PropertiesOf } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { describe } from '../../describe.js'
import { CheckFailure } from '../../failure.js'
import type { Peer } from '../../peer.js'
import type { Trial } from '../../trial.js'
import { aliasesWithin, aliasesWithinAfterResumption } from './3.3-topic-alias.js'
import { needing } from './offer.js'
import { expectWithin, optional } from './packet-size.js'

const maximumPacketSize = 100

/** What a client asks for in the properties of CONNECT. */
export const requestChecks50: readonly Check[] = [
  check50('MQTT-3.1.2-24', {
    'PUBLISH at QoS 0': async (t) => {
      const c = await t.subscriber(t.topic('a'), 0, { properties: { maximumPacketSize } })
      const publisher = await t.connect()
      for (const size of [10, 70, 80, 90, 100, 1000]) publisher.sendPublish(t.topic('a'), 'x'.repeat(size))
      await t.settled()
      expectWithin(c.heard(), maximumPacketSize)
    },
    'PUBLISH at QoS 2': needing({ qos: 2 }, async (t) => {
      const c = await t.subscriber(t.topic('a'), 2, { properties: { maximumPacketSize } })
      const publisher = await t.connect()
      for (const size of [70, 80, 90, 1000]) await publisher.publish(t.topic('a'), 'x'.repeat(size), { qos: 2 })
      await t.settled()
      expectWithin(c.heard(), maximumPacketSize)
    }),
    'a retained message': needing({ qos: 1, retain: true }, async (t) => {
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x'.repeat(200), { qos: 1, retain: true })
      const c = await t.subscriber(t.topic('a'), 0, { properties: { maximumPacketSize } })
      await t.settled()
      expectWithin(c.heard(), maximumPacketSize)
    }),
    'what waited for the session': needing({ qos: 1, sessions: true }, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const first = await t.subscriber(t.topic('a'), 1, session)
      await first.disconnect()
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x'.repeat(200), { qos: 1 })
      const c = await t.connect({ ...session, properties: { sessionExpiryInterval: 3600, maximumPacketSize } })
      await t.settled()
      expectWithin(c.heard(), maximumPacketSize)
    }),
    // There is no shorter answer: the server cannot give any.
    'a SUBACK of 200 codes': async (t) => {
      const c = await t.connect({ properties: { maximumPacketSize } })
      const subscriptions = Array.from({ length: 200 }, (_, i) => ({ filter: t.topic(`${i}`), qos: 0 as const }))
      c.send({ type: 'subscribe', packetId: 1, subscriptions })
      await t.settled()
      expectWithin(c.heard(), maximumPacketSize)
    },
  }),

  check50('MQTT-3.1.2-25', {
    'the next message comes': needing({ qos: 1 }, async (t) => {
      const c = await t.subscriber(t.topic('a'), 1, { properties: { maximumPacketSize } })
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x'.repeat(200), { qos: 1 })
      await publisher.publish(t.topic('a'), 'short', { qos: 1 })
      await c.receive({ payload: 'short' })
      await c.expectNothing()
    }),
    'the window is not filled': needing({ qos: 1 }, async (t) => {
      const c = await t.subscriber(t.topic('a'), 1, { properties: { maximumPacketSize, receiveMaximum: 2 } })
      const publisher = await t.connect()
      for (let i = 0; i < 4; i++) await publisher.publish(t.topic('a'), 'x'.repeat(200), { qos: 1 })
      await publisher.publish(t.topic('a'), 'short', { qos: 1 })
      await c.receive({ payload: 'short' })
    }),
    'not for the next connection either': needing({ qos: 1, sessions: true }, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const properties = { sessionExpiryInterval: 3600, maximumPacketSize }
      const first = await t.subscriber(t.topic('a'), 1, { ...session, properties })
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x'.repeat(200), { qos: 1 })
      await first.expectNothing()
      await first.drop()
      const second = await t.connect(session)
      await second.expectNothing()
    }),
  }),

  check50('MQTT-3.1.2-26', {
    'of 1': aliasesWithin(1),
    'of 3': aliasesWithin(3),
    'of 1, for a session that had 10': needing({ qos: 1, sessions: true }, aliasesWithinAfterResumption(10, 1)),
  }),

  check50('MQTT-3.1.2-27', { 'not given': aliasesWithin(undefined), 'given as 0': aliasesWithin(0) }),

  check50('MQTT-3.1.2-28', {
    'not asked for': withoutResponseInformation({}),
    'asked to leave it out': withoutResponseInformation({ requestResponseInformation: false }),
  }),

  // Answers a server may want to explain. Any of them may also be refused in another way.
  check50('MQTT-3.1.2-29', {
    'SUBACK and UNSUBACK': unexplained((t, c) => {
      c.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: t.topic('a'), qos: 0 }] })
      c.send({ type: 'unsubscribe', packetId: 2, filters: [t.topic('never subscribed')] })
    }),
    'SUBACK that refuses, perhaps': unexplained((t, c) => {
      c.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter: `$share/g/${t.topic('#')}`, qos: 0 }] })
    }),
    PUBACK: needing(
      { qos: 1 },
      unexplained((t, c) => c.sendPublish(t.topic('nobody'), 'x', { qos: 1 })),
    ),
    'PUBACK that refuses, perhaps': needing(
      { qos: 1 },
      unexplained((t, c) => c.sendPublish(`$SYS/${t.topic('a')}`, 'x', { qos: 1 })),
    ),
    'PUBREC and PUBCOMP': needing(
      { qos: 2 },
      unexplained((t, c) => {
        c.sendPublish(t.topic('nobody'), 'x', { qos: 2, packetId: 1 })
        c.send({ type: 'pubrel', packetId: 1 })
      }),
    ),
    'PUBREC that refuses, perhaps': needing(
      { qos: 2 },
      unexplained((t, c) => c.sendPublish(`$SYS/${t.topic('a')}`, 'x', { qos: 2 })),
    ),
    'PUBCOMP and PUBREL of no message': unexplained((_, c) => {
      c.send({ type: 'pubrel', packetId: 7 }, { type: 'pubrec', packetId: 8 })
    }),
  }),
]

function withoutResponseInformation(properties: PropertiesOf<'connect'>): Dialogue {
  return async (t) => {
    const c = await t.open()
    const connack = await c.connect(t.connectPacket({ properties }))
    if (connack.properties?.responseInformation !== undefined) {
      throw new CheckFailure('CONNACK without Response Information', `came ${describe(connack)}`)
    }
  }
}

/** Request Problem Information 0: what comes of it has no words, except in PUBLISH, CONNACK and DISCONNECT. */
function unexplained(provoke: (t: Trial, c: Peer) => unknown): Dialogue {
  return async (t) => {
    const c = await t.connect({ properties: { requestProblemInformation: false } })
    provoke(t, c)
    await t.settled()
    for (const { packet, problem } of c.heard()) {
      if (!packet) throw new CheckFailure('a packet', `came bytes that are none: ${problem}`)
      if (packet.type === 'publish' || packet.type === 'disconnect') continue
      const explained = (['reasonString', 'userProperties'] as const).some(
        (name) => optional(packet, name) !== undefined,
      )
      if (explained) throw new CheckFailure('neither Reason String nor User Property', `came ${describe(packet)}`)
    }
  }
}
