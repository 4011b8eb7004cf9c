// What a cluster holds while things fail: sessions that sleep, what waits for them, and what is retained.
import { connect } from '@godwit/client'
import { until } from './cluster-stage.mjs'

/** At scale 1; half of those that are connected come by TLS, all have wills. */
const whole = { connected: 10_000, sleeping: 100_000, queuedEach: 10, retained: 100_000 }
/** Sessions that are looked into at the end. */
const samples = 20

export class ClusterState {
  /** @param {import('./cluster-stage.mjs').ClusterStage} stage @param {number} scale of the whole: 0.01 is a hundredth */
  constructor(stage, scale) {
    this.stage = stage
    this.connected = Math.round(whole.connected * scale)
    this.sleeping = Math.round(whole.sleeping * scale)
    this.retained = Math.round(whole.retained * scale)
  }

  get words() {
    const { connected, sleeping, retained } = this
    return `${connected} connected, ${sleeping} offline sessions with ${sleeping * whole.queuedEach} messages, ${retained} retained`
  }

  /** @param {number} n */
  #sleeper(n, clean = false) {
    const options = { clientId: `sleeper-${n}`, clean, sessionExpirySeconds: 86_400 }
    return connect([...this.stage.urls], { ...options, reconnect: { initialMs: 50, maxMs: 300 } })
  }

  async make() {
    const groups = 50 // some at a time
    for (let from = 0; from < this.sleeping; from += groups) {
      const some = Array.from({ length: Math.min(groups, this.sleeping - from) }, (_, n) => from + n)
      await Promise.all(
        some.map(async (n) => {
          const client = await this.#sleeper(n, true)
          await client.subscribe(`state/${n}`, { qos: 1 })
          await client.close()
        }),
      )
    }
    const maker = await connect([...this.stage.urls], { clientId: 'maker' })
    const publishing = []
    for (let n = 0; n < this.sleeping; n++) {
      for (let number = 0; number < whole.queuedEach; number++) {
        await maker.ready()
        publishing.push(maker.publish(`state/${n}`, String(number), { qos: 1 }))
      }
    }
    for (let n = 0; n < this.retained; n++) {
      await maker.ready()
      publishing.push(maker.publish(`kept/${n}`, String(n), { qos: 1, retain: true }))
    }
    await Promise.all(publishing)
    await maker.close()
    await this.#wait()
  }

  /** Until it is counted as it should be: nobody reads of it. */
  async #wait() {
    await until(async () => (await this.problems()).length === 0, 'the state that was made', 30_000)
  }

  /** As the node that serves counts it. @returns {Promise<readonly string[]>} what is missing */
  async problems() {
    const problems = []
    const [queued, retained] = [
      await this.stage.gauge('godwit_queued_messages'),
      await this.stage.gauge('godwit_retained_messages'),
    ]
    const waiting = this.sleeping * whole.queuedEach
    if (!(queued >= waiting)) problems.push(`${queued} messages wait, and ${waiting} did`)
    if (!(retained >= this.retained)) problems.push(`${retained} messages are retained, and ${this.retained} were`)
    return problems
  }

  /** Looks into some sessions. @returns {Promise<readonly string[]>} what is missing */
  async end() {
    const problems = []
    for (let n = 0; n < Math.min(samples, this.sleeping); n++) {
      const client = await this.#sleeper(Math.floor((n * this.sleeping) / samples) % this.sleeping)
      const filter = `state/${Math.floor((n * this.sleeping) / samples) % this.sleeping}`
      const seen = /** @type {string[]} */ ([])
      const subscription = await client.subscribe(filter, { qos: 1 })
      const reading = (async () => {
        for await (const message of subscription) seen.push(message.text())
      })()
      await until(() => seen.length >= whole.queuedEach, `what waits for ${filter}`, 10_000).catch(() => {})
      await client.close()
      await reading
      const expected = Array.from({ length: whole.queuedEach }, (_, number) => String(number)).join()
      if (seen.join() !== expected) problems.push(`${filter} got ${seen.join() || 'nothing'}`)
    }
    return problems
  }
}
