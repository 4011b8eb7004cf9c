import type { QoS } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import { dialogueOf, dialoguesOf } from '../5.0-as-3.1.1.js'
import { needing } from './offer.js'

const kept = { qos: 2, sessions: true } as const

export const qosChecks50: readonly Check[] = [
  check50('MQTT-4.3.2-1', freeIdentifiers(1)),
  check50('MQTT-4.3.2-2', firstPublish(1)),
  check50('MQTT-4.3.2-3', dialoguesOf('4.3.2-1', { qos: 1, sessions: true })),
  check50('MQTT-4.3.2-4', answered(1)),
  check50('MQTT-4.3.2-5', dialoguesOf('4.3.2-2', { qos: 1 })),
  check50('MQTT-4.3.3-1', freeIdentifiers(2)),
  check50('MQTT-4.3.3-2', firstPublish(2)),

  check50(
    'MQTT-4.3.3-3',
    needing(kept, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const first = await t.subscriber(t.topic('a'), 2, session)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 2 })
      const { packetId = 0 } = await first.expectPublish({ payload: 'x' })
      await first.drop()
      for (let i = 0; i < 2; i++) {
        const again = await t.connect(session)
        await again.expectPublish({ payload: 'x', qos: 2, packetId })
        await again.drop()
      }
      const last = await t.connect(session)
      await last.receive({ payload: 'x', qos: 2, packetId })
      await last.drop()
      await (await t.connect(session)).expectNothing()
    }),
  ),

  check50('MQTT-4.3.3-4', {
    'PUBREC 0x00': pubrelFor(0x00),
    'PUBREC 0x10': pubrelFor(0x10),
  }),
  check50('MQTT-4.3.3-5', dialogueOf('4.4.0-1', kept, 'PUBREL')),
  check50('MQTT-4.3.3-6', dialogueOf('4.3.3-1', kept, 'no PUBLISH after PUBREL')),

  check50(
    'MQTT-4.3.3-7',
    needing(kept, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const first = await t.subscriber(t.topic('a'), 2, session)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 2, properties: { messageExpiryInterval: 1 } })
      const { packetId } = await first.expectPublish({ payload: 'x', qos: 2 })
      await first.drop()
      await t.sleep(3000)
      const second = await t.connect(session)
      await second.receive({ payload: 'x', qos: 2, packetId })
    }),
  ),

  check50('MQTT-4.3.3-8', answered(2)),

  check50(
    'MQTT-4.3.3-9',
    needing({ qos: 2 }, async (t) => {
      const subscriber = await t.subscriber(t.topic('a'))
      const c = await t.connect()
      c.sendPublish(`$SYS/${t.topic('a')}`, 'refused, perhaps', { qos: 2, packetId: 7 })
      await c.answered()
      const [pubrec] = await c.arrived('pubrec')
      if (!pubrec || (pubrec.reasonCode ?? 0) < 0x80) {
        t.skip('does not apply: the server does not refuse what could be tried')
      }
      if (c.isClosed) t.skip('does not apply: the server refuses, and closes the connection')
      await c.publish(t.topic('a'), 'new', { qos: 2, packetId: 7 })
      await subscriber.expectPublish({ payload: 'new' })
    }),
  ),

  check50('MQTT-4.3.3-10', {
    'on the same connection': dialogueOf('4.3.3-2', { qos: 2 }, 'a repeat is not delivered again'),
    'on the next one': dialogueOf('4.3.3-2', kept, 'a repeat on the next connection'),
  }),

  check50(
    'MQTT-4.3.3-11',
    needing({ qos: 2 }, async (t) => {
      const c = await t.connect()
      for (const packetId of [1, 0x1234, 65535]) {
        c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId })
        await c.expect('pubrec', { packetId })
        c.send({ type: 'pubrel', packetId })
        await c.expect('pubcomp', { packetId })
      }
    }),
  ),

  check50('MQTT-4.3.3-12', dialogueOf('4.3.3-2', { qos: 2 }, 'PUBREL frees the identifier')),

  check50('MQTT-4.3.3-13', {
    'the server as the receiver': needing({ qos: 2 }, async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7, properties: { messageExpiryInterval: 1 } })
      await c.expect('pubrec', { packetId: 7 })
      await t.sleep(3000)
      c.send({ type: 'pubrel', packetId: 7 })
      await c.expect('pubcomp', { packetId: 7 })
    }),
    'the server as the sender': needing({ qos: 2 }, async (t) => {
      const c = await t.subscriber(t.topic('a'), 2)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 2, properties: { messageExpiryInterval: 1 } })
      const publish = await c.expectPublish({ payload: 'x', qos: 2 })
      await t.sleep(3000)
      await c.acknowledge(publish)
    }),
  }),

  check50('MQTT-4.4.0-2', {
    PUBACK: needing({ qos: 1, sessions: true }, refusedByClient(1)),
    PUBREC: needing(kept, refusedByClient(2)),
  }),
]

/** While some are not acknowledged, a new message gets an identifier that none of them has. */
function freeIdentifiers(qos: 1 | 2): Dialogue {
  return needing({ qos }, async (t) => {
    const c = await t.subscriber(t.topic('a'), qos)
    const publisher = await t.connect()
    const open = new Set<number>()
    for (let i = 0; i < 10; i++) {
      await publisher.publish(t.topic('a'), String(i), { qos })
      const publish = await c.expectPublish({ payload: String(i), qos })
      const { packetId = 0 } = publish
      if (packetId === 0 || open.has(packetId)) {
        throw new CheckFailure(`an identifier that is not 0 and none of ${[...open]}`, `came ${packetId}`)
      }
      // Every third is acknowledged, and its identifier is free again.
      if (i % 3 === 0) await c.acknowledge(publish)
      else open.add(packetId)
    }
  })
}

/** The first time round, DUP is 0, even where the publisher's PUBLISH had it. */
function firstPublish(qos: 1 | 2): Dialogue {
  return needing({ qos }, async (t) => {
    const c = await t.subscriber(t.topic('a'), qos)
    const publisher = await t.connect()
    for (const dup of [false, true]) {
      await publisher.publish(t.topic('a'), `with DUP ${dup}`, { qos, dup })
      const { packetId = 0 } = await c.receive({ payload: `with DUP ${dup}`, qos, dup: false })
      if (packetId === 0) throw new CheckFailure('PUBLISH with a packet identifier', 'it has 0')
    }
  })
}

function answered(qos: 1 | 2): Dialogue {
  const identifiers = [1, 0x2345, 65535]
  return needing({ qos, inFlight: identifiers.length }, async (t) => {
    const c = await t.connect()
    for (const packetId of identifiers) {
      c.sendPublish(t.topic('a'), 'x', { qos, packetId })
      await c.expect(qos === 1 ? 'puback' : 'pubrec', { packetId })
    }
    await c.expectNothing()
  })
}

function pubrelFor(reasonCode: number): Dialogue {
  return needing({ qos: 2 }, async (t) => {
    const c = await t.subscriber(t.topic('a'), 2)
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'x', { qos: 2 })
    const { packetId = 0 } = await c.expectPublish({ payload: 'x', qos: 2 })
    c.send({ type: 'pubrec', packetId, reasonCode })
    await c.expect('pubrel', { packetId })
  })
}

/** The client refuses the message: it is over, and makes room for the next. */
function refusedByClient(qos: QoS): Dialogue {
  return async (t) => {
    const session = { clientId: t.clientId('s'), cleanStart: false }
    const properties = { sessionExpiryInterval: 3600, receiveMaximum: 1 }
    const first = await t.subscriber(t.topic('a'), qos, { ...session, properties })
    const publisher = await t.connect()
    for (const payload of ['refused', 'next']) await publisher.publish(t.topic('a'), payload, { qos })
    const { packetId = 0 } = await first.expectPublish({ payload: 'refused', qos })
    first.send({ type: qos === 1 ? 'puback' : 'pubrec', packetId, reasonCode: 0x80 })
    await first.receive({ payload: 'next' })
    await first.expectNothing()
    await first.drop()
    await (await t.connect(session)).expectNothing()
  }
}
