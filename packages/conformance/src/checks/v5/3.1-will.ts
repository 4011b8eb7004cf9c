import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import type { ConnectOptions, Trial } from '../../trial.js'
import { dialoguesOf } from '../5.0-as-3.1.1.js'
import { needing } from './offer.js'

/** What a server that looks at its clocks now and then may be late by. */
const graceMs = 4000

export const willChecks50: readonly Check[] = [
  // Its own session's end brings each will, and no other's.
  check50('MQTT-3.1.2-7', async (t) => {
    const watchers = [await t.subscriber(t.topic('one')), await t.subscriber(t.topic('two'))] as const
    const one = await t.connect({ will: { topic: t.topic('one'), payload: 'one is gone' } })
    const two = await t.connect({ will: { topic: t.topic('two'), payload: 'two is gone' } })
    await two.drop()
    await watchers[1].receive({ topic: t.topic('two'), payload: 'two is gone', retain: false })
    await watchers[0].expectNothing()
    await one.drop()
    await watchers[0].receive({ topic: t.topic('one'), payload: 'one is gone', retain: false })
    await watchers[1].expectNothing()
  }),

  // A new connection with Clean Start ends the session too, but then the statement lets a server delete the will.
  check50('MQTT-3.1.2-8', {
    ...dialoguesOf('3.1.2-8', { qos: 2 }),
    'after DISCONNECT with Will Message': async (t) => {
      const topic = t.topic('will')
      const watcher = await t.subscriber(topic)
      const c = await t.connect({ will: { topic, payload: 'gone' } })
      c.send({ type: 'disconnect', reasonCode: 0x04 })
      await watcher.receive({ topic, payload: 'gone' })
    },
    'its delay over, not before': needing({ sessions: true }, async (t) => {
      const topic = t.topic('will')
      const watcher = await t.subscriber(topic)
      const c = await t.connect(delayedWill(t, 3))
      await c.drop()
      await t.sleep(1500)
      await watcher.expectNothing()
      await t.sleep(1500 + graceMs)
      await watcher.receive({ topic, payload: 'gone' })
    }),
    'the session over before the delay is': async (t) => {
      const topic = t.topic('will')
      const watcher = await t.subscriber(topic)
      const c = await t.connect({ ...delayedWill(t, 600), properties: { sessionExpiryInterval: 1 } })
      await c.drop()
      await t.sleep(1000 + graceMs)
      await watcher.receive({ topic, payload: 'gone' })
    },
  }),

  check50('MQTT-3.1.3-9', {
    'after a lost connection': needing({ sessions: true }, cancels(true)),
    'by a take-over': needing({ sessions: true }, cancels(false)),
  }),

  check50('MQTT-3.1.3-10', async (t) => {
    const topic = t.topic('will')
    const watcher = await t.subscriber(topic)
    const userProperties = ['b 2', 'a 1', 'b 1', 'b 2'].map((pair) => pair.split(' ') as [string, string])
    const c = await t.connect({ will: { topic, payload: 'gone', properties: { userProperties } } })
    await c.drop()
    const { properties } = await watcher.receive({ topic, payload: 'gone' })
    const [came, wanted] = [properties?.userProperties ?? [], userProperties].map((list) => JSON.stringify(list))
    if (came !== wanted) throw new CheckFailure(`User Properties ${wanted}`, `came ${came}`)
  }),
]

function delayedWill(t: Trial, willDelayInterval: number): ConnectOptions & { readonly clientId: string } {
  return {
    clientId: t.clientId('s'),
    cleanStart: false,
    will: { topic: t.topic('will'), payload: 'gone', properties: { willDelayInterval } },
  }
}

/** The client is back before the delay is over, and stays beyond it. */
function cancels(lost: boolean): Dialogue {
  return async (t) => {
    const watcher = await t.subscriber(t.topic('will'))
    const will = delayedWill(t, 2)
    const first = await t.connect(will)
    if (lost) await first.drop()
    await t.connect({ clientId: will.clientId, cleanStart: false })
    await t.sleep(2000 + graceMs)
    await watcher.expectNothing()
  }
}
