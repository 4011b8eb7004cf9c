// Named wildcards become typed fields; a message is acknowledged when the next one is asked for.
import { connect } from '@godwit/client'

await using client = await connect('mqtt://localhost', { clientId: 'thermo' })
await using readings = await client.subscribe('home/+room/temperature', { qos: 1 })

await client.publish('home/kitchen/temperature', '21.5', { qos: 1 }) // resolves on PUBACK

for await (const message of readings) {
  console.log(message.params.room, Number(message.text())) // kitchen 21.5
  break
}
