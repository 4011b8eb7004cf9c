import { type Check, check } from '../check.js'
import { expectSessionPresent } from './expectations.js'

export const sessionStateChecks: readonly Check[] = [
  // Subscriptions, messages not yet sent, messages not acknowledged and identifiers received, over several connections.
  check('MQTT-4.1.0-1', async (t) => {
    const session = { clientId: t.clientId('s'), cleanStart: false }
    const publisher = await t.connect()
    const watcher = await t.subscriber(t.topic('own'), 0)
    const first = await t.subscriber(t.topic('a'), 2, session)
    first.sendPublish(t.topic('own'), 'from the session', { qos: 2, packetId: 500 })
    await first.expect('pubrec', { packetId: 500 })
    await publisher.publish(t.topic('a'), 'unacknowledged', { qos: 2 })
    const { packetId } = await first.expectPublish({ payload: 'unacknowledged' })
    await first.drop()
    await publisher.publish(t.topic('a'), 'while away', { qos: 2 })

    const second = await t.connect(session)
    expectSessionPresent(second, true)
    await second.expectPublish({ payload: 'unacknowledged', packetId })
    await second.drop()

    const third = await t.connect(session)
    expectSessionPresent(third, true)
    await third.receive({ payload: 'unacknowledged', packetId })
    await third.receive({ payload: 'while away' })
    third.sendPublish(t.topic('own'), 'from the session', { qos: 2, packetId: 500, dup: true })
    await third.expect('pubrec', { packetId: 500 })
    third.send({ type: 'pubrel', packetId: 500 })
    await third.expect('pubcomp', { packetId: 500 })
    // A server may deliver it when PUBLISH comes, or when PUBREL does.
    await watcher.expectPublish({ payload: 'from the session' })
    await watcher.expectNothing()
    await publisher.publish(t.topic('a'), 'still subscribed', { qos: 2 })
    await third.receive({ payload: 'still subscribed' })
  }),

  check('MQTT-4.1.0-2', async (t) => {
    const publisher = await t.connect({ keepAliveSeconds: 0 })
    for (const cleanStart of [true, false]) {
      const c = await t.subscriber(t.topic('a'), 1, { cleanStart })
      for (let i = 0; i < 3; i++) {
        await t.sleep(1000)
        await c.expectOpen()
        await publisher.publish(t.topic('a'), `${i}`, { qos: 1 })
        await c.receive({ payload: `${i}`, qos: 1 })
      }
      await c.disconnect()
    }
  }),
]
