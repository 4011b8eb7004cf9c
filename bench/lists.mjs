// How long the HTTP API takes over lists of very many sessions, and how long another client waits for PINGRESP meanwhile: all in one
// process, clients over pairs of streams in memory, the one that pings over TCP.
//
//   npm run build && node bench/lists.mjs [--sessions 100000] [--connected 10000] [--seconds 5]
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { adminApi, fixedTokens, newToken } from '@godwit/admin'
import { createBroker, memoryPair } from '@godwit/broker'
import { encode } from '@godwit/protocol'
import { median } from './compare.mjs'

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '100000' },
    connected: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '5' },
  },
})
const [sessions, connected, seconds] = [Number(values.sessions), Number(values.connected), Number(values.seconds)]
const limits = { maxConnectsPerSecond: 10_000_000, maxConnectsPerSecondPerAddress: 10_000_000, maxConnections: 200_000 }
const broker = await createBroker({ sysIntervalSeconds: 0, limits: { ...limits, maxConnectionsPerAddress: 200_000 } })

/** @param {string} clientId */
const connect = (clientId) =>
  encode(
    {
      ...{ type: 'connect', version: 5, clientId, cleanStart: false, keepAliveSeconds: 0 },
      properties: { sessionExpiryInterval: 0xffff_ffff },
    },
    5,
  )

for (let n = 0; n < sessions; n++) {
  const [ours, theirs] = memoryPair()
  broker.handle(theirs, { transport: 'memory', address: '192.0.2.1' })
  ours.resume()
  ours.write(connect(`device-${String(n).padStart(7, '0')}`))
  if (n >= connected) ours.end(encode({ type: 'disconnect' }, 5))
  if (n % 500 === 0) await delay(0)
}
while ((await broker.sessions.count()) < sessions || (await broker.clients.count()) > connected) await delay(50)
await delay(3_000) // what it took is swept up
console.log(`${await broker.sessions.count()} sessions, ${await broker.clients.count()} connected`)

const token = newToken()
const clock = { now: () => Date.now(), monotonic: () => performance.now() * 1000, timeout: () => () => {} } // no pace is kept
const api = adminApi(broker, { tokens: fixedTokens([{ token, name: 'bench', role: 'viewer' }]), clock })

/** @param {string} path */
async function ask(path) {
  const begun = performance.now()
  const headers = { authorization: `Bearer ${token}` }
  const response = await api.fetch(new Request(`http://localhost/api/v1${path}`, { headers }))
  const { items } = JSON.parse(await response.text())
  return { ms: performance.now() - begun, items: items.length }
}

const { port } = await broker.listen({ port: 0 })
const socket = createConnection(port, '127.0.0.1')
await once(socket, 'connect')
socket.write(connect('pinger'))
await once(socket, 'data')
/** @type {number[]} */
const pings = []
let isOver = false
const pinging = (async () => {
  while (!isOver) {
    const begun = performance.now()
    socket.write(encode({ type: 'pingreq' }, 5))
    await once(socket, 'data')
    pings.push(performance.now() - begun)
    await delay(2)
  }
})()

const asked = {
  'first page of clients': '/clients',
  'search that finds one': `/clients?search=device-${String(connected - 1).padStart(7, '0')}`,
  'search that finds none': '/clients?search=nobody',
  'deepest queues': '/sessions?sort=-queued',
}
for (const [name, path] of Object.entries(asked)) {
  pings.length = 0
  const times = []
  let items = 0
  for (const until = performance.now() + seconds * 1000; performance.now() < until; ) {
    const answer = await ask(path)
    times.push(answer.ms)
    items = answer.items
  }
  const worst = pings.sort((one, other) => one - other)[Math.floor(pings.length * 0.99)] ?? Number.NaN
  console.log(
    `${name}: ${median(times).toFixed(1)} ms (at most ${Math.max(...times).toFixed(1)}), ${items} items; PINGRESP p99 ${worst.toFixed(1)} ms`,
  )
}
isOver = true
await pinging
socket.destroy()
api.close()
process.exit(0)
