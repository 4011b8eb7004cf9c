import { reason } from '@godwit/protocol'
import { type Check, check50 } from '../../check.js'
import { expectSessionPresent } from '../expectations.js'
import { needing } from './offer.js'

export const sessionChecks50: readonly Check[] = [
  check50('MQTT-3.1.2-6', {
    'never connected before': needing({ qos: 1, sessions: true }, async (t) => {
      const session = { clientId: t.clientId('new'), cleanStart: false }
      const first = await t.subscriber(t.topic('a'), 1, session)
      await first.disconnect()
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'while away', { qos: 1 })
      const second = await t.connect(session)
      expectSessionPresent(second, true)
      await second.receive({ payload: 'while away' })
    }),
    'the earlier session has ended': needing({ qos: 1 }, async (t) => {
      const session = { clientId: t.clientId('new'), cleanStart: false, properties: { sessionExpiryInterval: 0 } }
      const first = await t.subscriber(t.topic('a'), 1, session)
      await first.disconnect()
      const publisher = await t.connect()
      await publisher.publish(t.topic('a'), 'while away', { qos: 1 })
      const second = await t.connect(session)
      expectSessionPresent(second, false)
      await publisher.publish(t.topic('a'), 'no longer subscribed', { qos: 1 })
      await second.expectNothing()
    }),
  }),

  check50('MQTT-3.1.4-3', async (t) => {
    const clientId = t.clientId('same')
    const older = await t.connect({ clientId })
    const newer = await t.connect({ clientId })
    await older.expect('disconnect', { reasonCode: reason.sessionTakenOver })
    await older.expectClosed()
    await newer.expectOpen()
  }),
]
