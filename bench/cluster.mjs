// Faults of a cluster under load: what was acknowledged is there, once at QoS 2, in order, and no will of a living client goes out.
//   node bench/cluster.mjs [--rounds N] [--only WORDS] [--nats PROGRAM]
import { parseArgs } from 'node:util'
import { connect } from '@godwit/client'
import { ClusterStage, fetchedNats, pause, until } from './cluster-stage.mjs'

const publishers = 6
const living = 30

/**
 * What is done, while clients publish; resolves when all is as it was before.
 * @type {readonly { readonly name: string, readonly run: (stage: ClusterStage) => Promise<void>, readonly downMs: number }[]}
 */
export const faults = [
  {
    name: 'owner killed',
    downMs: 3_000,
    async run(stage) {
      const owner = await stage.owner()
      await owner.end()
      await stage.owner()
      owner.start()
    },
  },
  {
    name: 'hand-over (SIGTERM)',
    downMs: 2_000,
    async run(stage) {
      const owner = await stage.owner()
      await owner.end('SIGTERM')
      await stage.owner()
      owner.start()
    },
  },
  {
    name: 'leader of the log killed',
    downMs: 6_000,
    async run(stage) {
      const leader = await stage.leader()
      await leader.end()
      await pause(8_000)
      leader.start()
    },
  },
  {
    name: 'owner and leader killed',
    downMs: 6_000,
    async run(stage) {
      const [owner, leader] = [await stage.owner(), await stage.leader()]
      await Promise.all([owner.end(), leader.end()])
      await stage.owner()
      owner.start()
      leader.start()
    },
  },
  {
    name: 'owner stopped for 10 s',
    downMs: 11_000,
    async run(stage) {
      const owner = await stage.owner()
      owner.signal('SIGSTOP')
      await pause(10_000)
      owner.signal('SIGCONT')
    },
  },
  {
    name: 'leader of the log stopped for 10 s',
    downMs: 11_000,
    async run(stage) {
      const leader = await stage.leader()
      leader.signal('SIGSTOP')
      await pause(10_000)
      leader.signal('SIGCONT')
    },
  },
]

let loads = 0

/** Clients that publish, one that takes it all, and some that only live; and what became of it. */
class Load {
  acknowledged = /** @type {number[]} */ (Array.from({ length: publishers }, () => 0))
  /** @type {Map<string, number[]>} */
  received = new Map()
  wills = 0
  /** Sessions and topics are of this load alone. */
  #own = `load-${++loads}`
  longestGapMs = 0
  #lastAt = performance.now()
  #isOver = false
  /** @type {Promise<void>[]} */
  #working = []
  /** @type {import('@godwit/client').Client[]} */
  #clients = []

  /** @param {readonly string[]} urls */
  constructor(urls) {
    this.urls = urls
  }

  /** @param {string} clientId @param {import('@godwit/client').ConnectOptions} [options] */
  async #connect(clientId, options = {}) {
    const client = await connect([...this.urls], {
      clientId: `${this.#own}-${clientId}`,
      clean: false,
      sessionExpirySeconds: 3_600,
      keepAliveSeconds: 5,
      pingTimeoutMs: 12_000,
      reconnect: { initialMs: 50, maxMs: 300 },
      attemptTimeoutMs: 3_000,
      ...options,
    })
    this.#clients.push(client)
    return client
  }

  async begin() {
    const watcher = await this.#connect('watcher')
    const wills = await watcher.subscribe(`${this.#own}/wills/#`, { qos: 1 })
    const load = await watcher.subscribe(`${this.#own}/load/#`, { qos: 2 })
    this.#working.push(this.#count(wills), this.#take(load))
    for (let n = 0; n < living; n++) {
      await this.#connect(`living-${n}`, {
        clean: true,
        sessionExpirySeconds: 0,
        will: { topic: `${this.#own}/wills/${n}`, payload: 'gone', qos: 1 },
      })
    }
    for (let n = 0; n < publishers; n++) this.#working.push(this.#publish(n, await this.#connect(`publisher-${n}`)))
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

  /** One message after another, so that what was acknowledged is known. @param {number} n @param {import('@godwit/client').Client} client */
  async #publish(n, client) {
    const qos = n % 2 === 0 ? 1 : 2
    for (let number = 1; !this.#isOver; number++) {
      await client.publish(`${this.#own}/load/${n}/q${qos}`, String(number), { qos, timeoutMs: 120_000 })
      const now = performance.now()
      this.longestGapMs = Math.max(this.longestGapMs, now - this.#lastAt)
      this.#lastAt = now
      this.acknowledged[n] = number
      await pause(2)
    }
  }

  /** Since then. */
  restartGap() {
    this.longestGapMs = 0
    this.#lastAt = performance.now()
  }

  /** Stops publishing; resolves when all has come. @returns {Promise<readonly string[]>} what is wrong */
  async end() {
    this.#isOver = true
    const all = () => this.acknowledged.every((last, n) => this.#of(n).at(-1) === last)
    await until(all, 'all that was acknowledged', 30_000).catch(() => {})
    const problems = this.acknowledged.flatMap((last, n) => this.#judge(n, last))
    if (this.wills > 0) problems.push(`${this.wills} wills of living clients were published`)
    for (const client of this.#clients) await client.close().catch(() => {})
    await Promise.allSettled(this.#working)
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

/**
 * Each fault so many times. @param {{ rounds?: number, only?: string, program?: string }} [options]
 * @returns {Promise<boolean>} whether all held
 */
export async function proveCluster({ rounds = 1, only = '', program = fetchedNats()[0] } = {}) {
  if (program === undefined) throw new Error('there is no nats-server: scripts/fetch-nats.sh fetches one')
  const stage = new ClusterStage(program)
  let isRight = true
  try {
    await stage.start()
    console.log(
      `${program}\n| fault | rounds | acknowledged | median / worst without service | wrong |\n|---|---|---|---|---|`,
    )
    for (const fault of faults) {
      if (!fault.name.includes(only)) continue
      const gaps = []
      const wrong = []
      let acknowledged = 0
      for (let round = 0; round < rounds; round++) {
        const load = new Load(stage.urls)
        await load.begin()
        await pause(1_500)
        load.restartGap()
        await fault.run(stage)
        await stage.owner()
        await pause(2_000)
        gaps.push(load.longestGapMs)
        wrong.push(...(await load.end()))
        acknowledged += load.acknowledged.reduce((sum, one) => sum + one, 0)
        await stage.followed()
      }
      isRight &&= wrong.length === 0
      gaps.sort((a, b) => a - b)
      const shown = [gaps[gaps.length >> 1], gaps.at(-1)].map((ms = 0) => `${(ms / 1_000).toFixed(1)} s`).join(' / ')
      console.log(`| ${fault.name} | ${rounds} | ${acknowledged} | ${shown} | ${wrong.join('; ') || 0} |`)
    }
  } finally {
    if (isRight) await stage.stop()
    else console.log(`left as it is: ${stage.folder}`)
  }
  return isRight
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string' }, only: { type: 'string' }, nats: { type: 'string' } },
  })
  const { rounds, only, nats } = values
  const isRight = await proveCluster({
    rounds: Number(rounds ?? 1),
    ...(only && { only }),
    ...(nats && { program: nats }),
  })
  process.exitCode = isRight ? 0 : 1
}
