import { type Check, check } from '../check.js'

export const qosChecks: readonly Check[] = [
  check('MQTT-4.3.1-1', async (t) => {
    const topic = t.topic('a')
    const subscriber = await t.subscriber(topic, 2)
    const publisher = await t.connect()
    await publisher.publish(topic, 'x', { qos: 0 })
    await subscriber.expectPublish({ topic, payload: 'x', qos: 0, dup: false })
    await subscriber.expectNothing()
  }),

  check('MQTT-4.3.2-1', async (t) => {
    const session = { clientId: t.clientId('s'), cleanStart: false }
    const first = await t.subscriber(t.topic('a'), 1, session)
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), 'acknowledged', { qos: 1 })
    await first.receive({ payload: 'acknowledged', qos: 1, dup: false })
    await publisher.publish(t.topic('a'), 'not acknowledged', { qos: 1 })
    const { packetId } = await first.expectPublish({ payload: 'not acknowledged', qos: 1, dup: false })
    await first.drop()
    const second = await t.connect(session)
    await second.receive({ payload: 'not acknowledged', qos: 1, packetId })
    await second.drop()
    const third = await t.connect(session)
    await third.expectNothing()
  }),

  check('MQTT-4.3.2-2', async (t) => {
    const subscriber = await t.subscriber(t.topic('a'), 1)
    const publisher = await t.connect()
    for (const [payload, dup] of [
      ['new', false],
      ['new again', false],
      ['new, whatever DUP says', true],
      ['new, whatever DUP says', true],
    ] as const) {
      await publisher.publish(t.topic('a'), payload, { qos: 1, packetId: 7, dup })
      await subscriber.receive({ payload })
    }
    await subscriber.expectNothing()
  }),

  check('MQTT-4.3.3-1', {
    'the whole exchange': async (t) => {
      const subscriber = await t.subscriber(t.topic('a'), 2)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 2 })
      const { packetId = 0 } = await subscriber.expectPublish({ payload: 'x', qos: 2, dup: false })
      await subscriber.expectNothing() // no PUBREL before PUBREC
      subscriber.send({ type: 'pubrec', packetId })
      await subscriber.expect('pubrel', { packetId })
      subscriber.send({ type: 'pubcomp', packetId })
      await subscriber.expectNothing()
    },
    'no PUBLISH after PUBREL': async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const first = await t.subscriber(t.topic('a'), 2, session)
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'x', { qos: 2 })
      const { packetId = 0 } = await first.expectPublish({ payload: 'x', qos: 2 })
      first.send({ type: 'pubrec', packetId })
      await first.expect('pubrel', { packetId })
      await first.drop()
      const second = await t.connect(session)
      await second.expect('pubrel', { packetId })
      second.send({ type: 'pubcomp', packetId })
      await second.expectNothing()
      await second.drop()
      const third = await t.connect(session)
      await third.expectNothing()
    },
  }),

  check('MQTT-4.3.3-2', {
    'a repeat is not delivered again': async (t) => {
      const subscriber = await t.subscriber(t.topic('a'), 0)
      const c = await t.connect()
      for (const dup of [false, true, true]) {
        c.sendPublish(t.topic('a'), 'once', { qos: 2, packetId: 7, dup })
        await c.expect('pubrec', { packetId: 7 })
      }
      c.send({ type: 'pubrel', packetId: 7 })
      await c.expect('pubcomp', { packetId: 7 })
      await subscriber.expectPublish({ payload: 'once' })
      await subscriber.expectNothing()
    },
    'PUBREL frees the identifier': async (t) => {
      const subscriber = await t.subscriber(t.topic('a'), 0)
      const c = await t.connect()
      for (const payload of ['first', 'second']) {
        await c.publish(t.topic('a'), payload, { qos: 2, packetId: 7 })
        await subscriber.expectPublish({ payload })
      }
      await subscriber.expectNothing()
    },
    'a repeated PUBREL is answered': async (t) => {
      const c = await t.connect()
      await c.publish(t.topic('a'), 'x', { qos: 2, packetId: 7 })
      c.send({ type: 'pubrel', packetId: 7 })
      await c.expect('pubcomp', { packetId: 7 })
    },
    'a repeat on the next connection': async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const subscriber = await t.subscriber(t.topic('a'), 0)
      const first = await t.connect(session)
      first.sendPublish(t.topic('a'), 'once', { qos: 2, packetId: 7 })
      await first.expect('pubrec', { packetId: 7 })
      await first.drop()
      const second = await t.connect(session)
      second.sendPublish(t.topic('a'), 'once', { qos: 2, packetId: 7, dup: true })
      await second.expect('pubrec', { packetId: 7 })
      second.send({ type: 'pubrel', packetId: 7 })
      await second.expect('pubcomp', { packetId: 7 })
      await subscriber.expectPublish({ payload: 'once' })
      await subscriber.expectNothing()
    },
  }),
]
