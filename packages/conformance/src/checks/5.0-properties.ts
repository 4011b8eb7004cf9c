import { encodeUtf8, type PropertiesOf } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../check.js'
import { CheckFailure } from '../failure.js'
import { decodeUtf8 } from '../text.js'

type PublishProperties = NonNullable<PropertiesOf<'publish'>>

/** What the publisher said of the message reaches the subscriber unchanged. */
function passedOn(properties: PublishProperties): Dialogue {
  return async (t) => {
    const subscriber = await t.subscriber(t.topic('a'), 1)
    const publisher = await t.connect()
    publisher.sendPublish(t.topic('a'), 'x', { properties })
    const { properties: came } = await subscriber.receive({ payload: 'x' })
    for (const [name, value] of Object.entries(properties)) {
      expectValue(name, came?.[name as keyof PublishProperties], value)
    }
  }
}

function expectValue(name: string, came: unknown, wanted: unknown): void {
  const [actual, expected] = [came, wanted].map((value) =>
    value instanceof Uint8Array ? decodeUtf8(value) : JSON.stringify(value),
  )
  if (actual !== expected) throw new CheckFailure(`${name} ${expected}`, `came ${actual}`)
}

export const propertyChecks50: readonly Check[] = [
  check50('MQTT-3.3.2-4', {
    text: passedOn({ payloadFormatIndicator: 1 }),
  }),
  check50('MQTT-3.3.2-6', async (t) => {
    const topic = t.topic('a')
    const publisher = await t.connect()
    const properties = { messageExpiryInterval: 60 }
    await publisher.publish(topic, 'x', { qos: 1, retain: true, properties })
    await t.sleep(3000)
    const subscriber = await t.subscriber(topic)
    const left = (await subscriber.receive({ payload: 'x' })).properties?.messageExpiryInterval
    if (left === undefined || left < 50 || left > 58) throw new CheckFailure('about 57 seconds left', `came ${left}`)
  }),
  check50('MQTT-3.3.2-15', passedOn({ responseTopic: 'answers/here' })),
  check50('MQTT-3.3.2-16', passedOn({ correlationData: encodeUtf8('number 7') })),
  check50(
    'MQTT-3.3.2-17',
    passedOn({
      userProperties: [
        ['a', '1'],
        ['', ''],
      ],
    }),
  ),
  check50(
    'MQTT-3.3.2-18',
    passedOn({
      userProperties: [
        ['b', '2'],
        ['a', '1'],
        ['b', '1'],
        ['b', '2'],
      ],
    }),
  ),
  check50('MQTT-3.3.2-20', passedOn({ contentType: 'text/plain' })),

  check50('MQTT-3.3.1-13', async (t) => {
    const c = await t.connect()
    const filter = t.topic('a')
    c.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter, qos: 0, retainAsPublished: true }] })
    await c.expect('suback', { packetId: 1 })
    const publisher = await t.connect()
    await publisher.publish(filter, 'kept', { qos: 1, retain: true })
    await c.receive({ payload: 'kept', retain: true })
    await publisher.publish(filter, 'passing', { qos: 1 })
    await c.receive({ payload: 'passing', retain: false })
  }),
  check50('MQTT-3.3.1-10', async (t) => {
    const c = await t.connect()
    const filter = t.topic('a')
    await c.publish(filter, 'kept', { qos: 1, retain: true })
    c.send({ type: 'subscribe', packetId: 11, subscriptions: [{ filter, qos: 0, retainHandling: 1 }] })
    await c.expect('suback', { packetId: 11 })
    await c.receive({ payload: 'kept', retain: true })
    c.send({ type: 'subscribe', packetId: 12, subscriptions: [{ filter, qos: 0, retainHandling: 1 }] })
    await c.expect('suback', { packetId: 12 })
    await c.expectNothing()
  }),
  check50('MQTT-3.3.1-11', async (t) => {
    const c = await t.connect()
    const filter = t.topic('a')
    await c.publish(filter, 'kept', { qos: 1, retain: true })
    c.send({ type: 'subscribe', packetId: 11, subscriptions: [{ filter, qos: 0, retainHandling: 2 }] })
    await c.expect('suback', { packetId: 11 })
    await c.expectNothing()
  }),
  check50('MQTT-3.8.3-3', async (t) => {
    const c = await t.connect()
    const filter = t.topic('a')
    c.send({ type: 'subscribe', packetId: 11, subscriptions: [{ filter, qos: 0, noLocal: true }] })
    await c.expect('suback', { packetId: 11 })
    await c.publish(filter, 'own', { qos: 1 })
    await c.expectNothing()
    const other = await t.connect()
    await other.publish(filter, 'foreign', { qos: 1 })
    await c.receive({ payload: 'foreign' })
  }),
  check50('MQTT-3.3.4-3', async (t) => {
    const c = await t.connect()
    const filter = t.topic('a')
    const subscriptions = [{ filter, qos: 0 as const }]
    c.send({ type: 'subscribe', packetId: 1, subscriptions, properties: { subscriptionIdentifiers: [300] } })
    await c.expect('suback', { packetId: 1 })
    const publisher = await t.connect()
    publisher.sendPublish(filter, 'x')
    const { properties } = await c.receive({ payload: 'x' })
    expectValue('subscriptionIdentifiers', properties?.subscriptionIdentifiers, [300])
  }),
  check50('MQTT-3.3.4-9', async (t) => {
    const c = await t.subscriber(t.topic('a'), 1, { properties: { receiveMaximum: 2 } })
    const publisher = await t.connect()
    for (const payload of ['1', '2', '3']) await publisher.publish(t.topic('a'), payload, { qos: 1 })
    const first = await c.expectPublish({ payload: '1' })
    await c.expectPublish({ payload: '2' })
    await c.expectNothing()
    await c.acknowledge(first)
    await c.expectPublish({ payload: '3' })
  }),
  check50('MQTT-3.3.4-10', async (t) => {
    const c = await t.subscriber(t.topic('a'), 1, { properties: { receiveMaximum: 1 } })
    const publisher = await t.connect()
    for (const payload of ['1', '2']) await publisher.publish(t.topic('a'), payload, { qos: 1 })
    await c.expectPublish({ payload: '1' })
    await c.expectOpen()
    await c.subscribe(t.topic('b'))
  }),
  check50('MQTT-3.1.2-25', async (t) => {
    const c = await t.subscriber(t.topic('a'), 1, { properties: { maximumPacketSize: 200 } })
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'long'.repeat(100), { qos: 1 })
    await publisher.publish(t.topic('a'), 'short', { qos: 1 })
    await c.receive({ payload: 'short' })
    await c.expectNothing()
  }),
  check50('MQTT-3.1.2-27', async (t) => {
    const c = await t.subscriber(t.topic('a'))
    const publisher = await t.connect()
    for (const payload of ['1', '2', '3']) {
      publisher.sendPublish(t.topic('a'), payload)
      const { properties } = await c.receive({ topic: t.topic('a'), payload })
      expectValue('topicAlias', properties?.topicAlias, undefined)
    }
  }),
  check50('MQTT-3.1.3-7', async (t) => {
    const c = await t.open()
    const { properties } = await c.connect(t.connectPacket({ clientId: '' }))
    const clientId = properties?.assignedClientIdentifier
    if (!clientId) throw new CheckFailure('CONNACK with Assigned Client Identifier', 'it has none')
    await t.connect({ clientId })
    await c.expectClosed()
  }),
  check50('MQTT-3.1.4-3', async (t) => {
    const clientId = t.clientId('same')
    const older = await t.connect({ clientId })
    await t.connect({ clientId })
    await older.expect('disconnect', { reasonCode: 0x8e })
    await older.expectClosed()
  }),
  check50('MQTT-4.12.0-1', async (t) => {
    const c = await t.open()
    c.send(t.connectPacket({ properties: { authenticationMethod: 'godwit-unknown' } }))
    await c.expectRefused()
  }),
]
