import { type Check, check50 } from '../check.js'

export const propertyChecks50: readonly Check[] = [
  check50('MQTT-3.8.3-3', async (t) => {
    const c = await t.connect()
    const filter = t.topic('a')
    c.send({ type: 'subscribe', packetId: 11, subscriptions: [{ filter, qos: 0, noLocal: true }] })
    await c.expect('suback', { packetId: 11 })
    c.sendPublish(filter, 'own')
    await c.expectNothing()
    const other = await t.connect()
    other.sendPublish(filter, 'foreign')
    await c.receive({ payload: 'foreign' })
  }),
  check50('MQTT-4.12.0-1', async (t) => {
    const c = await t.open()
    c.send(t.connectPacket({ properties: { authenticationMethod: 'godwit-unknown' } }))
    await c.expectRefused()
  }),
]
