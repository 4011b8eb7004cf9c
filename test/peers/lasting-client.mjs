// A client of MQTT.js with a session that lasts: subscribes to all, and publishes numbers, one after another, each once the one before is
// acknowledged: from the first line of its standard input to its end. Takes { version, port, name } as JSON.
import mqtt from 'mqtt'

const { version, port, name } = JSON.parse(process.argv[2] ?? '{}')
const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
  protocolVersion: version,
  clientId: name,
  clean: false,
  reconnectPeriod: 200,
  connectTimeout: 15_000,
  ...(version === 5 && { properties: { sessionExpiryInterval: 600 } }),
})
client.on('connect', ({ sessionPresent }) => console.log('connected', sessionPresent))
client.on('message', (topic, payload) => console.log('message', topic, payload.toString()))
client.on('error', () => {}) // it comes again
await new Promise((resolve) => client.once('connect', resolve))
await client.subscribeAsync('numbers/#', { qos: 2 })
console.log('ready')

let isOver = false
process.stdin.on('end', () => {
  isOver = true
})
await new Promise((resolve) => process.stdin.on('data', resolve))
let number = 0
while (!isOver) {
  await client.publishAsync(`numbers/${name}`, String(++number), { qos: 2 }).catch(known)
  console.log('acked', number)
}
console.log('last', number)

/**
 * PUBREL that comes again for an id that was released before the connection broke is answered by 0x92, which is no error then (5.0,
 * section 3.7.2.1). MQTT.js makes one of it all the same.
 */
function known(error) {
  if (error.code !== 0x92) throw error
}
