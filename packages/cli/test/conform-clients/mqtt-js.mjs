// What `godwit conform --client` starts: plays one scenario with MQTT.js, as installed for the tests with peers.
import { createRequire } from 'node:module'

const mqtt = createRequire(new URL('../../../../test/peers/package.json', import.meta.url))('mqtt')

const { MQTT_CONFORM_URL: url, MQTT_CONFORM_SCENARIO: scenario, MQTT_CONFORM_VERSION: version } = process.env
const options = { protocolVersion: version === '5.0' ? 5 : 4, reconnectPeriod: 20 }
const session = version === '5.0' ? { properties: { sessionExpiryInterval: 600 } } : {}
const kept = { ...options, clientId: 'conform', clean: false, ...session }
const payload = 'a message'

const scenarios = {
  async connect() {
    const will = { topic: 'conform/will', payload: Buffer.from('gone'), qos: 1, retain: false }
    const client = await open({ ...options, will, username: 'me', password: 'secret', reconnectPeriod: 0 })
    await client.endAsync()
  },
  idle: () => open({ ...options, keepalive: 1 }),
  'publish-1': () => publish(kept, { qos: 1 }),
  'publish-2': () => publish(kept, { qos: 2 }),
  'publish-retained': () => publish(options, { qos: 0, retain: true }),
  'publish-large': () => publish(options, { qos: 1 }, 'x'.repeat(10_000)),
  'publish-alias': () => publish({ ...options, autoAssignTopicAlias: true }, { qos: 0 }),
  async subscribe() {
    const client = await open(kept)
    client.on('message', (_topic, payload) => payload.toString() === 'end' && client.unsubscribe('conform/#'))
    await client.subscribeAsync('conform/#', { qos: 2 })
  },
}

await scenarios[scenario]()

async function open(connectOptions) {
  const client = mqtt.connect(url, connectOptions)
  client.on('error', () => {})
  await new Promise((resolve) => client.once('connect', resolve))
  return client
}

async function publish(connectOptions, publishOptions, text = payload) {
  const client = await open(connectOptions)
  const topics = ['conform/1', 'conform/2', 'conform/3', 'conform/4', 'conform/5']
  await Promise.allSettled(topics.map((topic) => client.publishAsync(topic, text, publishOptions)))
  await client.endAsync()
}
