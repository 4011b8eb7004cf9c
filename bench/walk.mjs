// Prints which functions of broker and protocol run for one packet, by file: what ARCHITECTURE.md tells of as a walk.
//
//   npm run build && node bench/walk.mjs [publish | connect | subscribe]
//
// `publish`: one message at QoS 1 from publisher to a durable session, with both acknowledgements and the commits. `connect`: a CONNECT
// that takes a durable session over. `subscribe`: a SUBSCRIBE that two retained messages are sent for.
import { mkdtempSync, rmSync } from 'node:fs'
import inspector from 'node:inspector/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createBroker } from '@godwit/broker'
import { lmdbStore } from '@godwit/broker/store/lmdb'
import { connect } from '@godwit/client'

const what = process.argv[2] ?? 'publish'
/** Until the last commit of a step is in the tables. */
const settledMs = 100

const directory = mkdtempSync(join(tmpdir(), 'godwit-walk-'))
const broker = await createBroker({ store: lmdbStore({ directory }), sysIntervalSeconds: 0 })
const { port } = await broker.listen({ port: 0 })
const open = (/** @type {string} */ clientId) =>
  connect(`mqtt://127.0.0.1:${port}`, { clientId, sessionExpirySeconds: 3600, keepAliveSeconds: 0, reconnect: false })
const clients = [await open('subscriber'), await open('publisher')]
const [subscriber, publisher] = /** @type {[typeof clients[0], typeof clients[0]]} */ (clients)
const messages = (await subscriber.subscribe('a/#', { qos: 1 }))[Symbol.asyncIterator]()

/** @type {Record<string, () => Promise<unknown>>} */
const steps = {
  async publish() {
    await publisher.publish('a/b', 'text', { qos: 1 })
    await (await messages.next()).value?.ack()
  },
  connect: async () => clients.push(await open('subscriber')),
  subscribe: () => subscriber.subscribe('kept/#', { qos: 1 }),
}
const step = steps[what]
if (!step) throw new Error(`there is no walk ${what}; there are ${Object.keys(steps).join(', ')}`)

for (const topic of ['kept/a', 'kept/b']) await publisher.publish(topic, 'text', { qos: 1, retain: true })
await steps.publish?.() // so that what is made at first is there
const session = new inspector.Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
await wait(settledMs)
await session.post('Profiler.takePreciseCoverage')
await step()
await wait(settledMs)
const { result } = await session.post('Profiler.takePreciseCoverage')

const lines = result.flatMap(({ url, functions }) => {
  const [, file] = /\/packages\/((?:broker|protocol)\/.*)$/.exec(url) ?? []
  const names = functions
    .filter(({ ranges: [range] }) => range && range.count > 0)
    .map((one) => one.functionName || '()')
  return file && names.length > 0 ? [`${file.replace('/dist/', '/src/').replace(/js$/, 'ts')}: ${names.join(' ')}`] : []
})
console.log(lines.sort().join('\n'))
console.log(`${lines.filter((line) => line.startsWith('broker')).length} files of the broker, ${lines.length} in all`)

for (const client of clients) await client.close().catch(() => {})
await broker.close()
rmSync(directory, { recursive: true })
