// A broker with two sessions inside, to be killed at any moment: one writes at QoS 2 and notes what is safe, the other notes
// what it is given. What was noted in the folder of its argument is all that a later life knows.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBroker } from '../../dist/index.js'
import { lmdbStore } from '../../dist/store/lmdb/index.js'

/** Publications under way at once. */
const lanes = 20
const folder = process.argv[2] ?? ''
const [given, safe] = [join(folder, 'given'), join(folder, 'safe')]
const noted = existsSync(safe) ? readFileSync(safe, 'utf8').split('\n').filter(Boolean).map(Number) : []

/** @param {number} n */
const packetIdOf = (n) => (n % 1_000) + 1

const broker = await createBroker({ store: lmdbStore({ directory: join(folder, 'data') }) })
const reader = await broker.session('reader', { maxInflight: 50 })
const writer = await broker.session('writer')
await reader.subscribe('a', { qos: 2 })
process.send?.('open')
await Promise.all([read(), ...Array.from({ length: lanes }, (_, lane) => write(lane))])

async function read() {
  for await (const { number, text } of reader) appendFileSync(given, `${number} ${text()}\n`)
}

/**
 * Goes on behind what was noted as safe; what comes next may have been safe too.
 * @param {number} lane
 */
async function write(lane) {
  const last = Math.max(lane - lanes, ...noted.filter((n) => n % lanes === lane))
  if (last >= 0) await writer.release(packetIdOf(last))
  for (let n = last + lanes; ; n += lanes) {
    await writer.publish('a', `${n}`, { qos: 2, packetId: packetIdOf(n) })
    appendFileSync(safe, `${n}\n`)
    await writer.release(packetIdOf(n))
  }
}
