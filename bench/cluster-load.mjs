// What clients do while things fail in a cluster, and what became of it.
import { connect, PublishError } from '@godwit/client'
import { pause, until } from './cluster-stage.mjs'

const publishers = 6

/** So long clients may be away, and publications without an answer, in ms. */
const mostAwayMs = 60_000

let loads = 0

/** Clients that publish, one that takes it all, and some that only live; and what became of it. */
export class Load {
  acknowledged = /** @type {number[]} */ (Array.from({ length: publishers }, () => 0))
  /** @type {Map<string, number[]>} */
  received = new Map()
  wills = 0
  /** Publications that were refused, and came again. */
  refused = 0
  /** Sessions and topics are of this load alone. */
  #own = `load-${++loads}`
  #longestGapMs = 0
  #lastAt = performance.now()
  #isOver = false
  /** @type {Promise<void>[]} */
  #taking = []
  /** Each ends, when the load is over, with what went wrong. @type {Promise<string | undefined>[]} */
  #publishing = []
  /** @type {import('@godwit/client').Client[]} */
  #clients = []

  /** When 99 of 100 were in again, since {@link restartGap}; 0: they were never gone. */
  backMs = 0
  #began = performance.now()
  /** @type {NodeJS.Timeout | undefined} */
  #watching

  /** @param {import('./cluster-stage.mjs').ClusterStage} stage @param {number} living clients that only live, half of them by TLS */
  constructor(stage, living) {
    this.stage = stage
    this.living = living
  }

  /** @param {string} clientId @param {import('@godwit/client').ConnectOptions} [options] @param {readonly string[]} [urls] */
  async #connect(clientId, options = {}, urls = this.stage.urls) {
    const byEdge = this.stage.hasEdges && this.#clients.length % 4 > 1 // half of each kind, at the other node first
    const client = await connect(byEdge ? [...urls].reverse() : [...urls], {
      clientId: `${this.#own}-${clientId}`,
      clean: false,
      sessionExpirySeconds: 3_600,
      keepAliveSeconds: 5,
      pingTimeoutMs: 12_000,
      reconnect: { initialMs: 50, maxMs: 300 },
      attemptTimeoutMs: 12_000, // who gives up a connection that is taken late has its will published
      ...options,
    })
    this.#clients.push(client)
    return client
  }

  async begin() {
    const watcher = await this.#connect('watcher')
    const wills = await watcher.subscribe(`${this.#own}/wills/#`, { qos: 1 })
    const load = await watcher.subscribe(`${this.#own}/load/#`, { qos: 2 })
    this.#taking.push(this.#count(wills), this.#take(load))
    for (let n = 0; n < this.living; n++) {
      const byTls = n % 2 === 1
      // A client behind an edge is gone when the way to that breaks, as when its own does: a will with a delay waits for it.
      const delaySeconds = this.stage.hasEdges ? 60 : 0
      const will = { topic: `${this.#own}/wills/${n}`, payload: 'gone', qos: /** @type {const} */ (1), delaySeconds }
      const options = {
        clean: delaySeconds === 0,
        sessionExpirySeconds: delaySeconds,
        will,
        ...(byTls && { tls: this.stage.tls }),
      }
      await this.#connect(`living-${n}`, options, byTls ? this.stage.tlsUrls : undefined)
    }
    this.#watching = setInterval(() => this.#look(), 50)
    for (let n = 0; n < publishers; n++) {
      const client = await this.#connect(`publisher-${n}`)
      this.#publishing.push(this.#publish(n, client).catch((error) => `publisher ${n}: ${error.message}`))
    }
  }

  /** @param {AsyncIterable<unknown>} wills */
  async #count(wills) {
    for await (const _ of wills) this.wills++
  }

  /** @param {AsyncIterable<{ readonly topic: string, text(): string }>} load */
  async #take(load) {
    for await (const message of load) {
      const list = this.received.get(message.topic) ?? []
      list.push(Number(message.text()))
      this.received.set(message.topic, list)
    }
  }

  /**
   * One message after another, so that what was acknowledged is known.
   * @param {number} n @param {import('@godwit/client').Client} client @returns {Promise<undefined>}
   */
  async #publish(n, client) {
    const qos = n % 2 === 0 ? 1 : 2
    for (let number = 1; !this.#isOver; number++) {
      const topic = `${this.#own}/load/${n}/q${qos}`
      while (!(await this.#isTaken(client.publish(topic, String(number), { qos, timeoutMs: 120_000 }))))
        await pause(200)
      const now = performance.now()
      this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#lastAt)
      this.#lastAt = now
      this.acknowledged[n] = number
      await pause(2)
    }
  }

  /** False: it was refused, so that it is in no hands, and can be sent again. @param {Promise<unknown>} publishing */
  async #isTaken(publishing) {
    try {
      await publishing
      return true
    } catch (error) {
      if (!(error instanceof PublishError)) throw error
      this.refused++
      return false
    }
  }

  /** The longest time without an answer since {@link restartGap}, in ms. */
  get gapMs() {
    return Math.max(this.#longestGapMs, performance.now() - this.#lastAt)
  }

  /** Since then. */
  restartGap() {
    this.#longestGapMs = 0
    this.backMs = 0
    this.#began = this.#lastAt = performance.now()
  }

  get #gone() {
    return this.#clients.filter(({ connected }) => !connected).length
  }

  #look() {
    if (this.#gone > this.#clients.length / 100) this.backMs = performance.now() - this.#began
  }

  /** Resolves when all clients are in again; those that are not after a while are told of by {@link end}. */
  async back() {
    await until(() => this.#gone === 0, 'all clients back', mostAwayMs).catch(() => {})
  }

  /** Stops publishing; resolves when all has come. @returns {Promise<readonly string[]>} what is wrong */
  async end() {
    clearInterval(this.#watching)
    this.#isOver = true
    await this.back() // who was in may just have been dropped by an owner that found out late
    const gone = this.#gone
    // Publications in flight have their answers before a client is closed: one that is closed while it is away gives them up.
    /** @type {(string | undefined)[]} */
    let said = ['publications have no answer']
    void Promise.all(this.#publishing).then((all) => {
      said = all
    })
    await until(() => said.length === publishers, 'an answer to all publications', mostAwayMs).catch(() => {})
    const all = () => this.acknowledged.every((last, n) => this.#of(n).at(-1) === last)
    await until(all, 'all that was acknowledged', 30_000).catch(() => {})
    const problems = this.acknowledged.flatMap((last, n) => this.#judge(n, last))
    if (gone > 0) problems.push(`${gone} clients did not come back`)
    problems.push(...said.filter((one) => one !== undefined))
    if (this.acknowledged.some((last) => last === 0)) problems.push('a publisher was never answered')
    if (this.wills > 0) problems.push(`${this.wills} wills of living clients were published`)
    for (const client of this.#clients) await client.close().catch(() => {})
    await Promise.all(this.#taking)
    return problems
  }

  /** @param {number} n */
  #of(n) {
    return this.received.get(`${this.#own}/load/${n}/q${n % 2 === 0 ? 1 : 2}`) ?? []
  }

  /** @param {number} n @param {number} last */
  #judge(n, last) {
    const seen = this.#of(n)
    const problems = []
    const once = new Set(seen)
    for (let number = 1; number <= last; number++)
      if (!once.has(number)) problems.push(`publisher ${n}: ${number} is lost`)
    if (n % 2 === 1 && once.size < seen.length)
      problems.push(`publisher ${n}: ${seen.length - once.size} came twice at QoS 2`)
    // What comes again may be older; what comes for the first time must not be.
    let highest = 0
    for (const number of seen) {
      if (number > highest + 1) problems.push(`publisher ${n}: ${number} came before ${highest + 1}`)
      highest = Math.max(highest, number)
    }
    return problems.slice(0, 5)
  }
}
