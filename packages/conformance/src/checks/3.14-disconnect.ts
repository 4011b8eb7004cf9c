import { type Check, check } from '../check.js'
import { closes } from './violations.js'

export const disconnectChecks: readonly Check[] = [
  check('MQTT-3.14.1-1', {
    'flags 0001': closes('e1 00'),
    'flags 0010': closes('e2 00'),
    'flags 0100': closes('e4 00'),
    'flags 1000': closes('e8 00'),
    'flags 1111': closes('ef 00'),
  }),

  check('MQTT-3.14.4-3', async (t) => {
    const topic = t.topic('will')
    const watcher = await t.subscriber(topic, 1)
    for (const cleanStart of [true, false]) {
      const c = await t.connect({ cleanStart, will: { topic, payload: 'gone', qos: 1, retain: true } })
      await c.disconnect()
      await watcher.expectNothing()
    }
    const late = await t.subscriber(topic, 1)
    await late.expectNothing()
  }),
]
