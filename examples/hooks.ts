// Hooks: the broker's decisions are yours. Each is a plain function, and its answer may be a promise.
import { createBroker } from '@godwit/broker'
import { connect } from '@godwit/client'

await using broker = await createBroker({
  hooks: [
    {
      name: 'house rules',
      authenticate: ({ username, password }) =>
        username === 'ann' && password?.toString() === 'secret',
      authorize: ({ action, client, topic }) =>
        action === 'subscribe' || topic.startsWith(`${client.username}/`),
      onPublish: ({ topic, payload }) => console.log(topic, payload.length), // ann/notes 5
      onDisconnect: (client) => console.log(`${client.clientId} left`),
    },
  ],
})
const { port } = await broker.listen({ port: 0 })

await using ann = await connect(`mqtt://ann:secret@localhost:${port}`)
await ann.publish('ann/notes', 'hello', { qos: 1 })
const refusal = await ann
  .publish('bob/notes', 'hello', { qos: 1 })
  .catch((error: Error) => error.message)
console.log(refusal) // publish to 'bob/notes': the server refused it: Not authorized
const stranger = await connect(`mqtt://localhost:${port}`).catch(
  (error: Error) => error.name,
)
console.log(stranger) // ServerRefusedError
