// A bridge: what one broker gets under `plant/` goes to another as `site-7/plant/`, and its orders come back; none is lost.
import { bridge } from '@godwit/bridge'
import { createBroker } from '@godwit/broker'
import { connect } from '@godwit/client'

await using near = await createBroker()
await using far = await createBroker()
const farUrl = `mqtt://localhost:${(await far.listen({ port: 0 })).port}`

await using cloud = await bridge(near, {
  name: 'cloud',
  url: farUrl,
  topics: [
    { filter: 'plant/#', direction: 'out', qos: 2, remotePrefix: 'site-7/' },
    { filter: 'orders/#', direction: 'in', qos: 2, remotePrefix: 'site-7/' },
  ],
})

await using office = await connect(farUrl)
const readings = await office.subscribe('site-7/plant/#', { qos: 2 })
await near.publish('plant/boiler/pressure', '2.1', { qos: 2 })
for await (const message of readings) {
  console.log(message.topic, message.text()) // site-7/plant/boiler/pressure 2.1
  break
}
console.log(cloud.view.connected) // true
