// What `godwit conform --client` starts: plays one scenario with @godwit/client.
import { connect } from '@godwit/client'

const { MQTT_CONFORM_URL: url, MQTT_CONFORM_SCENARIO: scenario, MQTT_CONFORM_VERSION: version } = process.env
const options = {
  version: version === '5.0' ? 5 : 4,
  fallback: false,
  reconnect: { initialMs: 20 },
  connectTimeoutMs: 4000,
}
const kept = { ...options, clientId: 'conform', sessionExpirySeconds: 600 }
const payload = 'a message'

const scenarios = {
  async connect() {
    const will = { topic: 'conform/will', payload: 'gone', qos: 1 }
    const client = await connect(url, { ...options, will, username: 'me', password: 'secret', reconnect: false })
    await client.close()
  },
  async idle() {
    await connect(url, { ...options, keepAliveSeconds: 1 })
  },
  'publish-1': () => publish(kept, { qos: 1 }),
  'publish-2': () => publish(kept, { qos: 2 }),
  'publish-retained': () => publish(options, { qos: 0, retain: true }),
  'publish-large': () => publish(options, { qos: 1 }, 'x'.repeat(10_000)),
  'publish-alias': () => publish(options, { qos: 0 }),
  async subscribe() {
    const client = await connect(url, kept)
    const subscription = await client.subscribe('conform/#', { qos: 2 })
    for await (const message of subscription) if (message.text() === 'end') await subscription.unsubscribe()
  },
}

await scenarios[scenario]()

async function publish(connectOptions, publishOptions, text = payload) {
  const client = await connect(url, connectOptions)
  const topics = ['conform/1', 'conform/2', 'conform/3', 'conform/4', 'conform/5']
  await Promise.allSettled(topics.map((topic) => client.publish(topic, text, publishOptions)))
  await client.close()
}
