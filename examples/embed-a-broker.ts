// A broker inside a program: who may come in, who may do what, and what the program itself hears and says.
import { createBroker } from '@godwit/broker'
import { connect } from '@godwit/client'

await using broker = await createBroker({
  hooks: [
    {
      name: 'tenants',
      authenticate: ({ username }) => username !== undefined,
      authorize: ({ client, topic }) => topic.startsWith(`${client.username}/`),
    },
  ],
})
const { port } = await broker.listen({ port: 0 })

broker.subscribe('+tenant/doors/+door', ({ params, text }) => {
  broker.publish(`${params.tenant}/audit`, `${params.door}: ${text()}`, { qos: 1 })
})

await using client = await connect(`mqtt://acme@localhost:${port}`)
const audit = await client.subscribe('acme/audit', { qos: 1 })
await client.publish('acme/doors/front', 'open', { qos: 1 })
for await (const message of audit) {
  console.log(message.text()) // front: open
  break
}
