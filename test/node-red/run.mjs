// Node-RED as a real user of the broker, at 3.1.1 and 5.0: what goes in comes out at each QoS, retained messages are
// found, properties survive, and a killed Node-RED leaves its will.
// Usage: node test/node-red/run.mjs FOLDER, where FOLDER/node_modules has node-red.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import { connect } from '@godwit/client'
import { Background, freePort } from '../../scripts/background.mjs'
import { flow } from './flow.mjs'

/** @typedef {import('@godwit/client').Message} Message */

const [prefix = '.'] = process.argv.slice(2)
const versions = /** @type {const} */ ([4, 5])
const names = { 4: 'MQTT 3.1.1', 5: 'MQTT 5.0' }
const giveUp = setTimeout(() => {
  console.error('not done after 50 s')
  process.exit(1)
}, 50_000)

const broker = await createBroker()
const { port } = await broker.listen({ port: 0 })
const folder = mkdtempSync(join(tmpdir(), 'godwit-node-red-'))
try {
  const people = await Promise.all(versions.map(person))
  const nodeRed = await startNodeRed()
  for (const { meets } of people) await meets()
  nodeRed.child.kill('SIGKILL')
  await nodeRed.ended
  for (const { mourns } of people) await mourns()
} finally {
  await broker.close()
  rmSync(folder, { recursive: true })
  clearTimeout(giveUp)
}

/** Headless: flows run, and there is neither editor nor admin interface. */
async function startNodeRed() {
  const settings = {
    ...{ flowFile: 'flows.json', userDir: folder, uiHost: '127.0.0.1', uiPort: await freePort() },
    ...{ httpAdminRoot: false, httpNodeRoot: false, telemetry: { enabled: false } },
  }
  writeFileSync(join(folder, 'package.json'), '{ "name": "flows", "private": true }')
  writeFileSync(join(folder, 'flows.json'), JSON.stringify(flow(port, versions)))
  writeFileSync(join(folder, 'settings.js'), `module.exports = ${JSON.stringify(settings)}`)
  const program = join(prefix, 'node_modules/node-red/red.js')
  const command = [process.execPath, program, '--userDir', folder, '--settings', join(folder, 'settings.js')]
  return Background.start(command, { cwd: folder, ready: /Started flows/ })
}

/**
 * Somebody who talks to Node-RED with our client.
 * @param {4 | 5} version
 */
async function person(version) {
  const client = await connect(`mqtt://127.0.0.1:${port}`, { version, fallback: false })
  const presence = feed(await client.subscribe(`nr/${version}/presence`, { qos: 1, retainAsPublished: true }))
  const answers = feed(await client.subscribe(`nr/${version}/out/#`, { qos: 2, retainAsPublished: true }))
  await client.publish(`nr/${version}/in/kept`, 'from before', { qos: 1, retain: true })

  async function meets() {
    assert.equal((await presence()).text(), 'online')
    const kept = await answers()
    assert.deepEqual([kept.topic, kept.text()], [`nr/${version}/out/kept`, 'from before'])
    for (const qos of /** @type {const} */ ([0, 1, 2])) {
      await client.publish(`nr/${version}/in/${qos}`, `at QoS ${qos}`, { qos })
      const answer = await answers()
      assert.deepEqual([answer.topic, answer.text(), answer.qos], [`nr/${version}/out/${qos}`, `at QoS ${qos}`, qos])
    }
    await findsWhatIsRetained()
    if (version === 5) await getsPropertiesBack()
    console.log(`ok ${names[version]}: birth, QoS 0 to 2, retained${version === 5 ? ', properties' : ''}`)
  }

  async function findsWhatIsRetained() {
    await client.publish(`nr/${version}/in/state`, 'on', { qos: 1, retain: true })
    assert.equal((await answers()).text(), 'on')
    const late = await connect(`mqtt://127.0.0.1:${port}`, { version })
    const found = await feed(await late.subscribe(`nr/${version}/out/state`, { qos: 1 }))()
    assert.deepEqual([found.text(), found.retain], ['on', true])
    await late.close()
  }

  async function getsPropertiesBack() {
    /** @type {import('@godwit/client').PublishProperties} */
    const properties = {
      contentType: 'text/plain',
      responseTopic: 'nr/5/answers',
      correlationData: new TextEncoder().encode('question 1'),
      messageExpiryInterval: 60,
      userProperties: [['room', 'kitchen']],
    }
    await client.publish('nr/5/in/properties', 'with properties', { qos: 1, properties })
    const { properties: back = {} } = await answers()
    assert.equal(back.contentType, 'text/plain')
    assert.equal(back.responseTopic, 'nr/5/answers')
    assert.equal(new TextDecoder().decode(back.correlationData), 'question 1')
    assert.ok(Number(back.messageExpiryInterval) > 50, `expires in ${back.messageExpiryInterval} s`)
    assert.deepEqual(back.userProperties, [['room', 'kitchen']])
  }

  async function mourns() {
    const will = await presence()
    assert.deepEqual([will.text(), will.qos], ['offline', 1])
    if (version === 5) assert.equal(will.properties?.contentType, 'text/plain')
    await client.close()
    console.log(`ok ${names[version]}: the will of a killed Node-RED`)
  }

  return { meets, mourns }
}

/**
 * The next message of a subscription, each time it is called.
 * @param {AsyncIterable<Message>} subscription
 * @returns {() => Promise<Message>}
 */
function feed(subscription) {
  const messages = subscription[Symbol.asyncIterator]()
  return async () => (await messages.next()).value
}
