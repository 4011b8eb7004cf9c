import { type Check, check } from '../check.js'

/** The Keep Alive of these dialogues. */
export const keepAliveSeconds = 2
/** What a server that looks at its clocks now and then may be late by. */
const graceMs = 6000

export const keepAliveChecks: readonly Check[] = [
  check('MQTT-3.1.2-24', {
    'silent from the beginning': async (t) => {
      const topic = t.topic('will')
      const watcher = await t.subscriber(topic, 1)
      const c = await t.connect({ keepAliveSeconds, will: { topic, payload: 'gone', qos: 1 } })
      await c.expectClosed({ withinMs: 1500 * keepAliveSeconds + graceMs })
      await watcher.receive({ topic, payload: 'gone' })
    },
    'silent after a while': async (t) => {
      const c = await t.connect({ keepAliveSeconds })
      for (let i = 0; i < 5; i++) {
        await t.sleep(500 * keepAliveSeconds)
        await c.expectOpen()
      }
      await c.expectClosed({ withinMs: 1500 * keepAliveSeconds + graceMs })
    },
    // What the server sends does not count: only what the client sends shows that it is there.
    'hearing but silent': async (t) => {
      const topic = t.topic('a')
      const c = await t.subscriber(topic, 0, { keepAliveSeconds })
      const publisher = await t.connect()
      const limitMs = 1500 * keepAliveSeconds + graceMs
      for (let waited = 0; waited < limitMs && !c.isClosed; waited += 500) {
        publisher.sendPublish(topic, 'tick')
        await t.sleep(500)
        await c.arrived('publish')
      }
      await c.expectClosed()
    },
  }),
]
