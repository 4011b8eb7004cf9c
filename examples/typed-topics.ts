// Named wildcards: `+room` matches as `+` does, and its level is a typed field of `params`. `#rest` takes all that follows.
import { connect } from '@godwit/client'

await using client = await connect('mqtt://localhost')
const seen: string[] = []

await using _temperatures = await client.subscribe('typed/+room/temperature', {
  qos: 1,
  onMessage: (message) => void seen.push(`${message.params.room}: ${message.text()}`),
})
await using logs = await client.subscribe('typed/+room/log/#path', { qos: 1 })

await client.publish('typed/kitchen/temperature', '21.5', { qos: 1 })
await client.publish('typed/cellar/log/door/front', 'open', { qos: 1 })

for await (const message of logs) {
  const { room, path } = message.params // both are strings, and TypeScript knows it
  seen.push(`${room} ${path}: ${message.text()}`)
  break
}
console.log(seen.join(', ')) // kitchen: 21.5, cellar door/front: open
