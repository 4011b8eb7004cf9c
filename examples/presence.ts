// Who is there: a retained "online", and a will that says "offline" when the connection breaks.
import { setTimeout as after } from 'node:timers/promises'
import { createBroker } from '@godwit/broker'
import { connect } from '@godwit/client'

await using broker = await createBroker()
const { port } = await broker.listen({ port: 0 })
const url = `mqtt://localhost:${port}`

await using watcher = await connect(url)
const presence = await watcher.subscribe('presence/+device', { qos: 1 })

const lamp = await connect(url, {
  clientId: 'lamp',
  will: { topic: 'presence/lamp', payload: 'offline', qos: 1, retain: true },
  reconnect: false,
})
await lamp.publish('presence/lamp', 'online', { qos: 1, retain: true })
// Stands for a pulled plug.
void after(50).then(() => broker.disconnect('lamp', { reasonCode: 0x98 }))

for await (const message of presence) {
  console.log(message.params.device, message.text()) // lamp online
  if (message.text() === 'offline') break
}
await using late = await connect(url) // whoever comes later is told the last word
for await (const message of await late.subscribe('presence/lamp', { qos: 1 })) {
  console.log(message.text(), message.retain) // offline true
  break
}
