// The MQTT.js side of the peers' tests: subscribe | publish (messages on standard input) | request | respond, then JSON.
import { text } from 'node:stream/consumers'
import mqtt from 'mqtt'

const [action = '', json = '{}'] = process.argv.slice(2)
const task = JSON.parse(json)
const { version, port, topic, qos } = task
const session = task.session ? { clientId: task.session, clean: false, properties: { sessionExpiryInterval: 600 } } : {}
const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: version, reconnectPeriod: 0, ...session })

const actions = { subscribe, publish, request, respond }
await actions[action]()

async function subscribe() {
  let left = task.count
  client.on('message', (topic, payload, { properties = {} }) => {
    // It makes an object of user properties: repeated names come together.
    const pairs = Object.entries(properties.userProperties ?? {}).flatMap(([name, values]) =>
      [values].flat().map((value) => `${name}:${value}`),
    )
    console.log('message', topic, payload.toString(), properties.messageExpiryInterval ?? '', pairs.join(' '))
    left -= 1
    if (left === 0) client.end()
  })
  client.on('close', () => {
    process.exitCode = left === 0 ? 0 : 1
  })
  await client.subscribeAsync(task.filter, { qos })
  console.log('SUBACK')
  if (task.count === 0) client.end()
}

async function publish() {
  const lines = (await text(process.stdin)).split('\n').filter((line) => line !== '')
  const userProperties = {}
  for (const [name, value] of task.userProperties) userProperties[name] = [...(userProperties[name] ?? []), value]
  const properties = { messageExpiryInterval: task.expirySeconds, userProperties }
  await Promise.all(
    lines.map((line) => client.publishAsync(topic, line, { qos, ...(version === 5 && { properties }) })),
  )
  await client.endAsync()
}

async function request() {
  const responseTopic = 'mqtt-js/answer'
  const correlationData = Buffer.from([0, 1, 0xff])
  client.on('message', (_topic, payload, { properties = {} }) => {
    if (properties.correlationData?.equals(correlationData)) console.log(`response ${payload}`)
    client.end()
  })
  await client.subscribeAsync(responseTopic, { qos: 1 })
  await client.publishAsync(topic, task.payload, { qos: 1, properties: { responseTopic, correlationData } })
}

async function respond() {
  client.on('message', (_topic, payload, { properties: { responseTopic, correlationData } }) => {
    client.publish(responseTopic, `re:${payload}`, { qos: 1, properties: { correlationData } })
  })
  await client.subscribeAsync(topic, { qos: 1 })
  console.log('SUBACK')
}
