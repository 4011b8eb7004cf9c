import { type Check, check } from '../check.js'

export const receiptChecks: readonly Check[] = [
  check('MQTT-4.5.0-1', async (t) => {
    const filters = ['a/b', 'a/+', 'a/#', '#']
    const here = await Promise.all(filters.map((filter) => t.subscriber(t.topic(filter), 1)))
    const away = { clientId: t.clientId('away'), cleanStart: false }
    const left = await t.subscriber(t.topic('a/b'), 1, away)
    await left.disconnect()
    const other = await t.subscriber(t.topic('a/c'), 1)
    const publisher = await t.subscriber(t.topic('a/b'), 1)

    await publisher.publish(t.topic('a/b'), 'x', { qos: 1 })
    const back = await t.connect(away)
    for (const c of [...here, back, publisher]) {
      await c.receive({ topic: t.topic('a/b'), payload: 'x', qos: 1 })
      await c.expectNothing()
    }
    await other.expectNothing()
  }),
]
