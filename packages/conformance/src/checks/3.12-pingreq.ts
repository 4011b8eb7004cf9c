import { type Check, check } from '../check.js'

export const pingreqChecks: readonly Check[] = [
  check('MQTT-3.12.4-1', async (t) => {
    const c = await t.connect()
    c.send({ type: 'pingreq' })
    await c.expectHex('d0 00')
    c.send({ type: 'pingreq' }, { type: 'pingreq' })
    await c.expectHex('d0 00')
    await c.expectHex('d0 00')
    await c.expectNothing()
  }),
]
