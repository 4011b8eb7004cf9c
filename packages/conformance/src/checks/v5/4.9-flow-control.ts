import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import { flowControlChecks50 } from './3.3-flow-control.js'
import { needing } from './offer.js'

/** The dialogues of another check of 5.0, which prove this statement too. */
function sameAs(id: string): Readonly<Record<string, Dialogue>> {
  const found = flowControlChecks50.find((one) => one.id === id)!
  return Object.fromEntries(found.cases.map(({ name, run }) => [name, run]))
}

export const quotaChecks50: readonly Check[] = [
  check50('MQTT-4.9.0-1', {
    'Receive Maximum 1': needing({ qos: 1 }, quotaWithin(1)),
    'Receive Maximum 5': needing({ qos: 1 }, quotaWithin(5)),
  }),
  check50('MQTT-4.9.0-2', sameAs('MQTT-3.3.4-9')),
  check50('MQTT-4.9.0-3', sameAs('MQTT-3.3.4-10')),
]

function quotaWithin(receiveMaximum: number): Dialogue {
  return async (t) => {
    const c = await t.subscriber(t.topic('a'), 1, { properties: { receiveMaximum } })
    const publisher = await t.connect()
    for (let i = 0; i < receiveMaximum + 3; i++) await publisher.publish(t.topic('a'), String(i), { qos: 1 })
    const { length } = await c.arrived('publish')
    if (length === 0 || length > receiveMaximum) {
      throw new CheckFailure(`1 to ${receiveMaximum} PUBLISHes while none is acknowledged`, `came ${length}`)
    }
  }
}
