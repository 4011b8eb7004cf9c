// A promise that nobody looks at ends no process: what was not published is told by an event.
import { connect } from '@godwit/client'

await using client = await connect('mqtt://localhost')
client.on('unpublished', ({ topic, error }) => {
  console.log(topic, error.code) // home/+/temperature invalid-topic
})

client.publish('home/kitchen/temperature', '21.5')
client.publish('home/+/temperature', '21.5') // a mistake, and nobody waits for it
