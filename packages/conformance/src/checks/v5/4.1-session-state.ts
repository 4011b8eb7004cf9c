import { type Check, check50 } from '../../check.js'
import { dialogueOf, dialoguesOf } from '../5.0-as-3.1.1.js'
import { expectSessionPresent } from '../expectations.js'

/** What a server may take to see that an interval is over. */
const slackMs = 5000

export const sessionStateChecks50: readonly Check[] = [
  check50('MQTT-4.1.0-1', {
    'while the connection is open': dialogueOf('4.1.0-2', { qos: 1 }),
    'over several connections': dialogueOf('4.1.0-1', { qos: 2, sessions: true }),
  }),

  check50('MQTT-4.1.0-2', {
    'no interval at all': async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false, properties: {} }
      const first = await t.connect(session)
      await first.drop()
      expectSessionPresent(await t.connect(session), false)
    },
    'an interval of 2 seconds': async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false, properties: { sessionExpiryInterval: 2 } }
      const first = await t.open()
      const { properties } = await first.connect(t.connectPacket(session))
      const seconds = properties?.sessionExpiryInterval ?? 2
      if (seconds > 10) t.skip(`does not apply: CONNACK says Session Expiry Interval ${seconds}`)
      await first.drop()
      await t.sleep(seconds * 1000 + slackMs)
      expectSessionPresent(await t.connect(session), false)
    },
    'ended by DISCONNECT': async (t) => {
      const session = { clientId: t.clientId('s'), cleanStart: false, properties: { sessionExpiryInterval: 3600 } }
      const first = await t.connect(session)
      first.send({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } })
      await t.settled()
      await first.drop()
      expectSessionPresent(await t.connect(session), false)
    },
  }),

  check50('MQTT-4.2.0-1', dialoguesOf('7.1.1-1', { qos: 1 })),
]
