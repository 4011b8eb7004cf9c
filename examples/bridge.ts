// A bridge in two dozen lines: what one broker gets under `plant/` goes to another as `site-7/plant/`, none lost.
import { createBroker } from '@godwit/broker'
import { connect } from '@godwit/client'

await using near = await createBroker()
await using far = await createBroker()
const nearUrl = `mqtt://localhost:${(await near.listen({ port: 0 })).port}`
const farUrl = `mqtt://localhost:${(await far.listen({ port: 0 })).port}`

await using local = await connect(nearUrl, { clientId: 'bridge', clean: false })
await using remote = await connect(farUrl, { clientId: 'site-7' })
await using _bridge = await local.subscribe('plant/#path', {
  qos: 1,
  retainAsPublished: true,
  onMessage: async ({ topic, payload, qos, retain }) => {
    // The near broker keeps the message until this has resolved.
    await remote.publish(`site-7/${topic}`, payload, { qos, retain })
  },
})

await using office = await connect(farUrl)
const readings = await office.subscribe('site-7/#', { qos: 1 })
await using sensor = await connect(nearUrl)
await sensor.publish('plant/boiler/pressure', '2.1', { qos: 1 })
for await (const message of readings) {
  console.log(message.topic, message.text()) // site-7/plant/boiler/pressure 2.1
  break
}
