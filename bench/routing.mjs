// What finding a topic's subscribers costs as subscriptions grow, and what a subscription weighs. No sockets: the router
// alone. A third of the filters are exact, a third end in `+`, a third in `#`.
//
//   npm run build && node --expose-gc bench/routing.mjs [most]
import { performance } from 'node:perf_hooks'
import { noCommit } from '../packages/broker/dist/commit.js'
import { plainGrant } from '../packages/broker/dist/router/subscriber.js'
import { Subscriptions } from '../packages/broker/dist/router/subscriptions.js'

const most = Number(process.argv[2] ?? 1_000_000)
const collect = globalThis.gc ?? (() => {})

/** @param {number} at */
function filterOf(at) {
  const device = `plant/${at % 97}/line/${at % 1009}/device/${at}`
  return at % 3 === 0 ? `${device}/state` : at % 3 === 1 ? `${device}/+` : `${device}/#`
}

for (let count = 1_000; count <= most; count *= 10) {
  collect()
  const before = process.memoryUsage().heapUsed
  const subscriptions = new Subscriptions()
  const subscribers = Array.from({ length: Math.ceil(count / 10) }, (_, at) => ({
    clientId: `c${at}`,
    durable: false,
    deliver: () => noCommit,
    onFault: () => {},
  }))
  const grant = plainGrant(1)
  const started = performance.now()
  for (let at = 0; at < count; at++) {
    const subscriber = subscribers[at % subscribers.length]
    if (subscriber) subscriptions.add(filterOf(at), subscriber, grant)
  }
  const added = performance.now()
  collect()
  const bytes = (process.memoryUsage().heapUsed - before) / count

  // Topics that nobody has asked for before, spread over all filters: at most one a filter.
  const asked = Math.min(count, 100_000)
  const topics = Array.from({ length: asked }, (_, n) => {
    const at = Math.floor((n * count) / asked)
    return `plant/${at % 97}/line/${at % 1009}/device/${at}/state`
  })
  const coldStart = performance.now()
  let matches = 0
  for (const topic of topics) matches += subscriptions.match(topic).length
  const warmStart = performance.now()
  for (const topic of topics) matches += subscriptions.match(topic).length
  const end = performance.now()
  console.log(
    `${String(count).padStart(9)} subscriptions: subscribe ${(((added - started) * 1000) / count).toFixed(2)} µs, ` +
      `${bytes.toFixed(0)} bytes each; first match of a topic ${(((warmStart - coldStart) * 1000) / asked).toFixed(2)} µs, ` +
      `again ${(((end - warmStart) * 1000) / asked).toFixed(2)} µs (${matches} matches)`,
  )
}
