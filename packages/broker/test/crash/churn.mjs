// A store whose queues are filled, drained, rewritten and cleared away, as fast as it goes: run as a child process that is recorded.
//   node churn.mjs FOLDER SEED STEPS       0 steps: it is opened, and no more
// Tells line by line, as JSON, what it holds after each step, and when that was safe.
import { encodeUtf8 } from '@godwit/protocol'
import { Message } from '../../dist/message.js'
import { lmdbStore } from '../../dist/store/lmdb/index.js'
import { VirtualClock } from '../../dist/testing/index.js'
import { BrokerTime } from '../../dist/time/broker-time.js'
import { Random } from './random.mjs'

const [directory = '', seed = '1', steps = '0'] = process.argv.slice(2)
const sessions = 6
const topics = 8

const random = new Random(Number(seed))
const next = () => random.next()
/** @param {number} most */
const below = (most) => Math.floor(next() * most)

const clock = new VirtualClock()
const time = new BrokerTime(clock)
const store = lmdbStore({ directory })

/** A session that is asleep, or takes its messages one by one: as much of deliveries as a store asks for. */
class Owner {
  clientId = ''
  head = 1
  tail = 1
  /** By number; gone: it is done. @type {Map<number, string>} */
  texts = new Map()
  stored

  /** @param {string} name */
  constructor(name) {
    this.stored = store.session(name)
    this.stored.serves(this)
    this.stored.connected(3600)
    this.stored.disconnected(Number.POSITIVE_INFINITY)
    this.stored.queue.rest()
  }

  state() {
    const { head, tail } = this
    return { head, next: head, tail, handshakes: new Uint8Array(0), maxInflight: 0, mayHaveSentMore: false }
  }

  /** @param {number} number */
  isDone(number) {
    return number < this.head
  }

  /** @param {number} number */
  mayExpire(number) {
    return number >= this.head
  }

  onExpired() {}

  onFault() {}

  /** @param {string} text @param {Message} message */
  put(text, message) {
    this.texts.set(this.tail, text)
    this.stored.queue.put(this.tail++, { message, qos: 1, retain: false })
  }

  finish() {
    const number = this.stored.queue.next(this.head, this.tail)
    if (number >= this.tail) return
    for (let at = this.head; at <= number; at++) this.texts.delete(at)
    this.stored.queue.delete(number)
    this.head = number + 1
  }
}

/** @type {(told: unknown) => void} */
const tell = (told) => void process.stdout.write(`${JSON.stringify(told)}\n`)
const at = () => String(process.hrtime.bigint())

/** @type {Owner[]} */
const owners = []
/** @type {Map<string, string>} */
const retained = new Map()
let texts = 0

/** A message that says when it expires; in ms of the broker's time. */
function message(/** @type {string} */ topic, /** @type {number} */ readers) {
  const seconds = next() < 0.6 ? 1 + below(4) : 0
  const text = `${++texts} ${seconds ? time.now() + seconds * 1000 : 0} `
  const payload = encodeUtf8(text.padEnd(next() < 0.1 ? 9000 : 20 + below(600), '.'))
  const properties = seconds ? { messageExpiryInterval: seconds } : {}
  const source = {
    topic,
    qos: /** @type {const} */ (1),
    retain: false,
    properties,
    bytes: payload,
    payloadStart: 0,
    payloadEnd: payload.length,
  }
  const made = Message.kept(source, '', time.now())
  made.goesTo(readers)
  return { text: text.trim(), made }
}

/** @type {(() => void)[]} */
const deeds = [
  () => {
    for (let n = below(30); n > 0; n--) {
      const { text, made } = message('t', 1)
      owners[below(sessions)]?.put(text, made)
    }
  },
  () => {
    for (let n = below(10); n > 0; n--) {
      const readers = owners.filter(() => next() < 0.5)
      const { text, made } = message('t', readers.length)
      for (const owner of readers) owner.put(text, made)
    }
  },
  () => {
    const owner = owners[below(sessions)]
    for (let n = below(40); n > 0; n--) owner?.finish()
  },
  () => {
    if (next() > 0.3) return
    const which = below(sessions)
    owners[which]?.stored.delete()
    owners[which] = new Owner(`s${which}`)
  },
  () => {
    const topic = `r/${below(topics)}`
    const { text, made } = message(topic, 1)
    if (next() < 0.3) retained.delete(topic)
    else retained.set(topic, text)
    store.setRetained(topic, retained.has(topic) ? made : undefined)
  },
  () => {
    clock.advance(500 + below(1000))
    store.tick()
  },
]

await store.open({ time })
/** @type {{ step: number, commit: unknown }[]} */
let waiting = []
store.onFlushed = () => {
  for (const { step, commit } of waiting)
    if (/** @type {number} */ (commit) <= store.flushed) tell({ safe: step, at: at() })
  waiting = waiting.filter(({ commit }) => /** @type {number} */ (commit) > store.flushed)
}
for (let n = 0; n < (Number(steps) > 0 ? sessions : 0); n++) owners.push(new Owner(`s${n}`))
for (let step = 0; step < Number(steps); step++) {
  const began = at()
  for (let n = 1 + below(4); n > 0; n--) deeds[below(deeds.length)]?.()
  store.endOfPart()
  const held = Object.fromEntries(owners.map(({ texts }, n) => [`s${n}`, [...texts.values()]]))
  tell({ step, began, time: time.now(), sessions: held, retained: Object.fromEntries(retained) })
  waiting.push({ step, commit: store.latest })
  if (next() < 0.5) await new Promise((resolve) => setTimeout(resolve, below(8)))
}
if (Number(steps) > 0) {
  while (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  process.kill(process.pid, 'SIGKILL')
}
await store.close()
