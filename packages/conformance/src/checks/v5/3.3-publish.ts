import { type PacketOf, reasonName } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import type { ConnectedPeer, Trial } from '../../trial.js'
import { needing } from './offer.js'

export const publishChecks50: readonly Check[] = [
  check50('MQTT-3.3.2-5', {
    'waiting for the client': needing({ qos: 1, sessions: true }, async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const first = await t.subscriber(t.topic('a'), 1, session)
      await first.disconnect()
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'short', { qos: 1, properties: { messageExpiryInterval: 1 } })
      await publisher.publish(t.topic('a'), 'long', { qos: 1, properties: { messageExpiryInterval: 600 } })
      await publisher.publish(t.topic('a'), 'for ever', { qos: 1 })
      await t.sleep(4000)
      const second = await t.connect(session)
      await second.receiveAll([{ payload: 'long' }, { payload: 'for ever' }])
      await second.expectNothing()
    }),
    'waiting for the window': needing({ qos: 1 }, async (t) => {
      const c = await t.subscriber(t.topic('a'), 1, { properties: { receiveMaximum: 1 } })
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'first', { qos: 1 })
      await publisher.publish(t.topic('a'), 'short', { qos: 1, properties: { messageExpiryInterval: 1 } })
      const first = await c.expectPublish({ payload: 'first' })
      await t.sleep(4000)
      await c.acknowledge(first)
      await c.expectNothing()
    }),
  }),

  check50('MQTT-3.3.4-1', {
    'QoS 0: nothing': async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 0 })
      await c.expectNothing()
    },
    'QoS 1: PUBACK': needing({ qos: 1 }, async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 1, packetId: 7 })
      expectTaken(await c.expect('puback', { packetId: 7 }))
      await c.expectNothing()
    }),
    'QoS 2: PUBREC': needing({ qos: 2 }, async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7 })
      expectTaken(await c.expect('pubrec', { packetId: 7 }))
      await c.expectNothing()
    }),
    'QoS 2 with DUP: PUBREC': needing({ qos: 2 }, async (t) => {
      const c = await t.connect()
      c.sendPublish(t.topic('a'), 'x', { qos: 2, packetId: 7, dup: true })
      expectTaken(await c.expect('pubrec', { packetId: 7 }))
      await c.expectNothing()
    }),
  }),

  check50(
    'MQTT-3.3.4-3',
    needing({ subscriptionIdentifiers: true }, async (t) => {
      const c = await t.connect()
      await subscribeWithIdentifier(c, t.topic('a/b'), 300)
      await subscribeWithIdentifier(c, t.topic('other'), 7)
      const publisher = await t.connect()
      publisher.sendPublish(t.topic('a/b'), 'x')
      expectIdentifiers(await arrivedCopies(t, c), [[300]])
    }),
  ),

  // Which of the two applies is the server's choice.
  check50('MQTT-3.3.4-4', {
    'two identifiers': overlapping(async (t, copies) => {
      if (copies.length > 1) t.skip('does not apply: the server sends a copy for each subscription')
      expectIdentifiers(copies, [[1, 268_435_455]])
    }),
    'two identifiers, and a subscription with none': overlapping(async (t, copies) => {
      if (copies.length > 1) t.skip('does not apply: the server sends a copy for each subscription')
      expectIdentifiers(copies, [[1, 268_435_455]])
    }, true),
  }),

  check50('MQTT-3.3.4-5', {
    'two identifiers': overlapping(async (t, copies) => {
      if (copies.length === 1) t.skip('does not apply: the server sends one copy')
      expectIdentifiers(copies, [[1], [268_435_455]])
    }),
    'two identifiers, and a subscription with none': overlapping(async (t, copies) => {
      if (copies.length === 1) t.skip('does not apply: the server sends one copy')
      expectIdentifiers(copies, [[], [1], [268_435_455]])
    }, true),
  }),
]

function expectTaken({ type, reasonCode = 0 }: PacketOf<'puback'> | PacketOf<'pubrec'>): void {
  if (reasonCode < 0x80) return
  throw new CheckFailure(`${type.toUpperCase()} that takes the message`, `it says ${reasonName(reasonCode)}`)
}

/** One message for two overlapping subscriptions with identifiers, perhaps one more with none; what came of it. */
function overlapping(
  look: (t: Trial, copies: readonly PacketOf<'publish'>[]) => Promise<void>,
  oneWithNone = false,
): Dialogue {
  return needing({ wildcards: true, subscriptionIdentifiers: true }, async (t) => {
    const c = await t.connect()
    await subscribeWithIdentifier(c, t.topic('a/#'), 1)
    await subscribeWithIdentifier(c, t.topic('a/+'), 268_435_455)
    if (oneWithNone) await c.subscribe(t.topic('a/b'))
    const publisher = await t.connect()
    publisher.sendPublish(t.topic('a/b'), 'x')
    const copies = await arrivedCopies(t, c)
    await look(t, copies)
  })
}

async function subscribeWithIdentifier(c: ConnectedPeer, filter: string, identifier: number): Promise<void> {
  const packetId = c.nextPacketId()
  const properties = { subscriptionIdentifiers: [identifier] }
  c.send({ type: 'subscribe', packetId, subscriptions: [{ filter, qos: 0 }], properties })
  await c.expect('suback', { packetId, reasonCodes: [0] })
}

async function arrivedCopies(t: Trial, c: ConnectedPeer): Promise<readonly PacketOf<'publish'>[]> {
  const first = await c.expectPublish({ topic: t.topic('a/b'), payload: 'x' })
  return [first, ...(await c.arrived('publish'))]
}

/** The identifiers of each copy, whatever their order and that of the copies. */
function expectIdentifiers(copies: readonly PacketOf<'publish'>[], wanted: readonly (readonly number[])[]): void {
  const inOrder = (lists: readonly (readonly number[])[]): string =>
    lists
      .map((list) => `(${[...list].sort((a, b) => a - b).join(' ')})`)
      .sort()
      .join(' ')
  const came = inOrder(copies.map(({ properties }) => properties?.subscriptionIdentifiers ?? []))
  if (came !== inOrder(wanted)) {
    throw new CheckFailure(`Subscription Identifiers by copy ${inOrder(wanted)}`, `came ${came}`)
  }
}
