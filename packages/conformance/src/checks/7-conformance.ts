import { type Check, check } from '../check.js'
import { CheckFailure } from '../failure.js'

const payloadBytes = 100_000

export const conformanceChecks: readonly Check[] = [
  // Whatever the target connects through is such a transport: in order and whole, in both directions.
  check('MQTT-7.1.1-1', async (t) => {
    const payload = Uint8Array.from({ length: payloadBytes }, (_, i) => (i * 31 + (i >> 8)) & 255)
    const subscriber = await t.subscriber(t.topic('a'), 1)
    const publisher = await t.connect()
    await publisher.publish(t.topic('a'), payload, { qos: 1 })
    const received = await subscriber.receive({ qos: 1 })
    const wrongAt = payload.findIndex((byte, i) => byte !== received.payload[i])
    if (wrongAt >= 0 || received.payload.length !== payloadBytes) {
      throw new CheckFailure(
        `the ${payloadBytes} bytes sent`,
        `came ${received.payload.length}, the first difference at ${wrongAt}`,
      )
    }
  }),
]
