import { type Check, check50 } from '../../check.js'
import { eachDisconnect } from './disconnections.js'
import { eachRefusal, refusingConnack } from './refusals.js'

export const closingChecks50: readonly Check[] = [
  check50('MQTT-4.13.2-1', {
    ...eachRefusal(async (t, connect) => {
      const c = await t.open()
      c.sendBytes(connect(t.clientId('refused')))
      await refusingConnack(t, c)
      await c.expectClosed()
    }),
    ...eachDisconnect((t, { packet }, { c }) => {
      const code = packet?.type === 'disconnect' ? (packet.reasonCode ?? 0) : 0x80
      if (code < 0x80) t.skip('does not apply: the DISCONNECT names no error')
      return c.expectClosed()
    }),
  }),
]
