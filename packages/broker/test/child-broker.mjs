// A broker in a process of its own, to be stopped, or started with few descriptors: what it is made of and where it listens
// is in its first argument; it says to its parent where that is, and when asked what it has counted and logged.
import { createBroker } from '../dist/index.js'

const { options, listeners } = JSON.parse(process.argv[2] ?? '{}')
/** @type {string[]} */
const lines = []
const log = {
  /** @type {import('../dist/index.js').Logger['log']} */
  log: (level, message, fields) => void lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
}
const broker = await createBroker({ sysIntervalSeconds: 0, log, ...options })
const ports = []
for (const listener of listeners) ports.push((await broker.listen(listener)).port)
process.send?.(ports)
process.on('message', async () => {
  const [metrics, clients] = await Promise.all([broker.metrics(), broker.clients.count()])
  process.send?.({ metrics, clients, lines })
})
process.on('disconnect', () => process.exit())
