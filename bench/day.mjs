// A day of mixed traffic in fast motion, on disk: sessions that come, sleep and end, queues that fill and drain, retained messages set
// and cleared, messages that expire. Tells how large the data file is beside what lives in it, hour by hour; fails when it is more than
// three times that, above 64 MB.
//
//   npm run proof -- --day        or: npm run build && node bench/day.mjs [--hours 24] [--sessions 150] [--rate 150] [--seed 1]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Decoder, encode } from '@godwit/protocol'
import { createBroker, memoryPair } from '../packages/broker/dist/index.js'
import { lmdbStore } from '../packages/broker/dist/store/lmdb/index.js'
import { VirtualClock } from '../packages/broker/dist/testing/index.js'
import { Random } from '../packages/broker/test/crash/random.mjs'

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '24' },
    sessions: { type: 'string', default: '150' },
    rate: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
  },
})
const [hours, devices, rate] = [Number(values.hours), Number(values.sessions), Number(values.rate)]
const random = new Random(Number(values.seed))

/** Below this, what the file has is no matter. */
const floorBytes = 64e6
const mostTimes = 3
const retainedTopics = 2_000

const folder = mkdtempSync(join(tmpdir(), 'godwit-day-'))
const clock = new VirtualClock()
const limits = { maxQueuedMessages: 1_000_000, maxQueuedBytes: 2 ** 30, maxInflight: 1_000 }
const broker = await createBroker({ clock, store: lmdbStore({ directory: folder }), limits, sysIntervalSeconds: 0 })
/** Turns of the event loop, for what lies in the memory pairs. @param {number} count */
const turns = async (count) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve))
}

/** A client that answers what it is sent, on and off as its hours have it. */
class Device {
  isOn = false
  /** The minute in which it comes, or goes. */
  due = 0
  received = 0

  /** @param {number} place */
  constructor(place) {
    this.place = place
    this.life = 0
  }

  get clientId() {
    return `device-${this.place}-${this.life}`
  }

  come() {
    const [ours, theirs] = memoryPair()
    broker.handle(theirs, { transport: 'memory', address: 'day' })
    this.stream = ours
    this.isOn = true
    const decoder = new Decoder({ version: 5 })
    ours.on('error', () => {})
    ours.on('data', (/** @type {Uint8Array} */ chunk) => {
      decoder.push(chunk)
      for (let packet = decoder.next(); packet; packet = decoder.next()) {
        if (packet.type !== 'publish') continue
        this.received++
        if (packet.qos === 1) ours.write(encode({ type: 'puback', packetId: packet.packetId ?? 0 }, 5))
      }
    })
    const filters = [`own/${this.place}`, ...(this.place % 4 === 0 ? ['all/#'] : []), 'retained/+/now']
    const properties = { sessionExpiryInterval: 86_400 }
    this.#send({
      type: 'connect',
      version: 5,
      clientId: this.clientId,
      cleanStart: false,
      keepAliveSeconds: 0,
      properties,
    })
    this.#send({
      type: 'subscribe',
      packetId: 1,
      subscriptions: filters.map((filter) => ({ filter, qos: /** @type {const} */ (1) })),
    })
  }

  /** @param {boolean} forGood its session ends in an hour, and another takes its place */
  go(forGood) {
    this.isOn = false
    this.#send({ type: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: forGood ? 3_600 : 86_400 } })
    this.stream?.end()
    if (forGood) this.life++
  }

  /** @param {import('@godwit/protocol').Packet} packet */
  #send(packet) {
    this.stream?.write(encode(packet, 5))
  }
}

/** As most are small, and a few large. */
const sizeOf = () => {
  const dice = random.next()
  if (dice < 0.7) return random.between(50, 500)
  return dice < 0.9 ? random.between(500, 4_000) : random.between(10_000, 60_000)
}
const payload = new Uint8Array(60_000).fill(120)
let [worst, mostLive, published] = [0, 0, 0]

/** @param {number} minute of the day: at night devices sleep longer, and less is published */
async function publish(minute) {
  const isNight = minute % 1_440 < 360
  const promises = []
  for (let n = isNight ? rate / 4 : rate; n > 0; n--) {
    const bytes = payload.subarray(0, sizeOf())
    const expires = random.chance(0.3) ? { properties: { messageExpiryInterval: random.between(600, 7_200) } } : {}
    const dice = random.next()
    if (dice < 0.05) {
      const topic = `retained/${random.between(0, retainedTopics - 1)}/now`
      promises.push(broker.publish(topic, random.chance(0.3) ? '' : bytes, { qos: 1, retain: true }))
    } else if (dice < 0.1) promises.push(broker.publish('all/news', bytes, { qos: 1, ...expires }))
    else promises.push(broker.publish(`own/${random.between(0, devices - 1)}`, bytes, { qos: 1, ...expires }))
    if (promises.length % 200 === 0) await turns(1)
  }
  published += promises.length
  await Promise.all(promises)
}

const all = Array.from({ length: devices }, (_, place) => new Device(place))
for (const device of all) {
  device.come()
  device.due = random.between(0, 60)
}
await turns(20)
const begun = performance.now()
console.log(`${devices} devices, up to ${rate} messages a minute; MB at the end of each hour`)
console.log('hour  live  file  times  sessions  queued')
for (let minute = 0; minute < hours * 60; minute++) {
  for (const device of all) {
    if (device.due > minute) continue
    if (device.isOn) device.go(random.chance(0.1))
    else device.come()
    const night = minute % 1_440 < 360 ? 2 : 1
    device.due = minute + (device.isOn ? random.between(2, 40) : random.between(5, 300) * night)
  }
  await publish(minute)
  for (let second = 0; second < 60; second += 10) {
    clock.advance(10_000)
    await turns(6)
  }
  const { store, queued } = await broker.metrics()
  mostLive = Math.max(mostLive, store.liveBytes)
  if (store.fileBytes > floorBytes) worst = Math.max(worst, store.fileBytes / store.liveBytes)
  if (minute % 60 !== 59) continue
  const mb = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(0).padStart(5)
  const times = (store.fileBytes / store.liveBytes).toFixed(2).padStart(5)
  const sessions = `${await broker.sessions.count()}`.padStart(8)
  const hour = `${(minute + 1) / 60}`.padStart(4)
  console.log(`${hour} ${mb(store.liveBytes)} ${mb(store.fileBytes)}  ${times}  ${sessions}  ${queued.messages}`)
}
const delivered = all.reduce((sum, { received }) => sum + received, 0)
await broker.close()
rmSync(folder, { recursive: true })
console.log(
  `${hours} hours in ${((performance.now() - begun) / 1000).toFixed(0)} s, ${published} published, ${delivered} delivered: ` +
    `the file was at most ${worst.toFixed(2)} times what lived, which was at most ${(mostLive / 1e6).toFixed(0)} MB`,
)
if (worst > mostTimes) process.exitCode = 1
