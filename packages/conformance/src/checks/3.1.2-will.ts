import { type Check, check, type Dialogue } from '../check.js'
import type { Peer } from '../peer.js'
import { flag, refuses } from './violations.js'

/** With a will, the connection ends so: the will is published. */
const willComes =
  (end: (c: Peer) => Promise<void> | void): Dialogue =>
  async (t) => {
    const topic = t.topic('will')
    const watcher = await t.subscriber(topic, 2)
    const c = await t.connect({ will: { topic, payload: 'gone', qos: 1 } })
    await watcher.expectNothing()
    await end(c)
    await watcher.receive({ topic, payload: 'gone', qos: 1, retain: false })
    await watcher.expectNothing()
  }

export const willChecks: readonly Check[] = [
  check('MQTT-3.1.2-8', {
    'the network fails': willComes((c) => c.drop()),
    'the client closes without DISCONNECT': willComes((c) => c.halfClose()),
    'the server closes after a violation': willComes(async (c) => {
      c.sendHex('00 00')
      await c.expectClosed()
    }),
    'at each QoS': async (t) => {
      const topic = t.topic('will')
      const watcher = await t.subscriber(topic, 2)
      for (const qos of [0, 1, 2] as const) {
        const c = await t.connect({ will: { topic, payload: `QoS ${qos}`, qos } })
        await c.drop()
        await watcher.receive({ payload: `QoS ${qos}`, qos })
      }
    },
  }),

  check('MQTT-3.1.2-9', {
    'neither field': refuses(flag.will),
    'no will message': refuses(flag.will, 'topic'),
  }),

  check('MQTT-3.1.2-10', {
    'not twice, once published': async (t) => {
      const topic = t.topic('will')
      const clientId = t.clientId('s')
      const watcher = await t.subscriber(topic, 1)
      const first = await t.connect({ clientId, cleanStart: false, will: { topic, payload: 'gone', qos: 1 } })
      await first.drop()
      await watcher.receive({ payload: 'gone' })
      const second = await t.connect({ clientId, cleanStart: false })
      await second.drop()
      await watcher.expectNothing()
    },
    'not after DISCONNECT': async (t) => {
      const topic = t.topic('will')
      const clientId = t.clientId('s')
      const watcher = await t.subscriber(topic, 1)
      const first = await t.connect({ clientId, cleanStart: false, will: { topic, payload: 'gone', qos: 1 } })
      await first.disconnect()
      await watcher.expectNothing()
      const second = await t.connect({ clientId, cleanStart: false })
      await second.drop()
      await watcher.expectNothing()
    },
  }),

  check('MQTT-3.1.2-11', { 'fields without the flag': refuses(0, 'topic', 'message') }),

  // The client had a will in an earlier connection: a server that keeps it would publish it now.
  check('MQTT-3.1.2-12', async (t) => {
    const clientId = t.clientId('s')
    const watcher = await t.subscriber(t.topic('#'), 1)
    const earlier = await t.connect({ clientId, will: { topic: t.topic('will'), payload: 'gone', qos: 1 } })
    await earlier.disconnect()
    const c = await t.connect({ clientId })
    await c.drop()
    await watcher.expectNothing()
  }),

  check('MQTT-3.1.2-13', { 'Will QoS 1': refuses(flag.willQoS1), 'Will QoS 2': refuses(flag.willQoS2) }),
  check('MQTT-3.1.2-14', { 'Will QoS 3': refuses(flag.will | flag.willQoS1 | flag.willQoS2, 'topic', 'message') }),
  check('MQTT-3.1.2-15', { 'Will Retain': refuses(flag.willRetain) }),

  check('MQTT-3.1.2-16', async (t) => {
    const topic = t.topic('will')
    const watcher = await t.subscriber(topic, 1)
    const c = await t.connect({ will: { topic, payload: 'gone', qos: 1, retain: false } })
    await c.drop()
    await watcher.receive({ payload: 'gone', retain: false })
    const late = await t.subscriber(topic, 1)
    await late.expectNothing()
  }),

  check('MQTT-3.1.2-17', async (t) => {
    const topic = t.topic('will')
    const watcher = await t.subscriber(topic, 1)
    const c = await t.connect({ will: { topic, payload: 'gone', qos: 1, retain: true } })
    await c.drop()
    await watcher.receive({ payload: 'gone' })
    const late = await t.subscriber(topic, 1)
    await late.receive({ payload: 'gone', retain: true })
  }),
]
