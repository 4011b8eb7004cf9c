// A broker on disk in a process of its own, with a bridge if one is given, to be killed: what it is made of is in its first argument.
import { bridge } from '../packages/bridge/dist/index.js'
import { createBroker } from '../packages/broker/dist/index.js'
import { lmdbStore } from '../packages/broker/dist/store/lmdb/index.js'

const { directory, port, options } = JSON.parse(process.argv[2] ?? '{}')
const log = {
  /** @type {import('../packages/broker/dist/index.js').Logger['log']} */
  log: (level, message, fields) => {
    process.send?.({ line: `${level} ${message} ${JSON.stringify(fields ?? {})}` }, () => {}) // its parent may be gone
  },
}
const limits = { maxQueuedMessages: 10_000_000, maxQueuedBytes: 2 ** 31 }
const broker = await createBroker({
  sysIntervalSeconds: 0,
  limits,
  log,
  ...(directory && { store: lmdbStore({ directory }) }),
})
const made = options && (await bridge(broker, { ...options, log }))
await broker.listen({ port })
process.send?.({ ready: true })
process.on('message', () =>
  broker.metrics().then(({ commits, store }) => process.send?.({ view: made?.view ?? {}, commits, store })),
)
process.on('disconnect', () => process.exit())
