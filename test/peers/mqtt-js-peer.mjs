// The MQTT.js side of the peers' tests: sub PORT FILTER QOS COUNT | pub PORT TOPIC QOS (messages on standard input).
import { text } from 'node:stream/consumers'
import mqtt from 'mqtt'

const [action, port, topic, qosText, countText] = process.argv.slice(2)
const qos = Number(qosText)
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 })

if (action === 'sub') {
  let left = Number(countText)
  client.on('message', (topic, payload) => {
    console.log('message', topic, payload.toString())
    left -= 1
    if (left === 0) client.end()
  })
  client.on('close', () => {
    process.exitCode = left === 0 ? 0 : 1
  })
  await client.subscribeAsync(topic, { qos })
  console.log('SUBACK')
} else {
  const lines = (await text(process.stdin)).split('\n').filter((line) => line !== '')
  await Promise.all(lines.map((line) => client.publishAsync(topic, line, { qos })))
  await client.endAsync()
}
