// MQTT.js at one listener: comes in, hears its own message, asks for more than it may; says what came of it, a line each.
import { readFileSync } from 'node:fs'
import mqtt from 'mqtt'

const { url, version, topic, ca, ...credentials } = JSON.parse(process.argv[2] ?? '{}')
const client = mqtt.connect(url, {
  protocolVersion: version,
  reconnectPeriod: 0,
  ...(ca && { ca: readFileSync(ca) }),
  ...credentials,
})
client.on('error', ({ message }) => console.log('error', message))

client.on('connect', async () => {
  client.on('message', (topic, payload) => {
    console.log('message', topic, `${payload}`)
    client.end()
  })
  try {
    await client.subscribeAsync('garden/#')
  } catch (error) {
    console.log('refused', error.message)
  }
  await client.subscribeAsync(topic, { qos: 1 })
  await client.publishAsync(topic, 'x', { qos: 1 })
})
