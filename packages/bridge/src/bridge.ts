import { type Broker, BrokerError } from '@godwit/broker'
import { checkRelay } from '@godwit/client/relay'
import type { BridgeOptions } from './bridge-options.js'
import { checkOptions, clientOptions, timerOf } from './checked-options.js'
import { type BridgeCounters, type BridgeDrop, newCounters } from './counters.js'
import { Life } from './life.js'
import { Narrator } from './narrator.js'
import { StateTopics } from './state-topics.js'
import { TopicMap } from './topic-map.js'

/** A bridge as it is now. */
export interface BridgeView extends Readonly<Omit<BridgeCounters, 'dropped'>> {
  readonly name: string
  readonly connected: boolean
  /** Since when it is connected, or is not, in epoch ms. */
  readonly since: number
  /** The URL of the server it is connected to, without user name and password; undefined: it is not. */
  readonly server: string | undefined
  /** What is spoken with it: 5 for 5.0, 4 for 3.1.1. */
  readonly version: number | undefined
  /** Why it is not connected, in words; undefined: it is, or has not tried. */
  readonly problem: string | undefined
  /** Messages at QoS 1 and 2 that wait to go out, or are on their way. */
  readonly queued: number
  readonly dropped: Readonly<Record<BridgeDrop, number>>
}

/**
 * A bridge: a session inside this broker on one side, a client of the other one on the other.
 *
 * **Out.** The session gives a message; the client sends it, with a packet id that follows from the message's number there. PUBACK
 * acknowledges it in the session. At QoS 2 PUBREC is noted in the session, on disk, before PUBREL leaves; PUBCOMP acknowledges. So
 * what was in doubt goes on under the same packet id after a crash, and the other broker takes it once.
 *
 * **In.** The client is given a message; the session publishes it, at QoS 2 under the packet id it has over there. Once that is on
 * disk PUBACK or PUBREC leaves. PUBREL makes the id free in the session, on disk, before PUBCOMP leaves.
 *
 * Session and client live and end together (`Life`): what a client had in hand that has ended comes again from the session.
 */
export class Bridge implements AsyncDisposable {
  readonly name: string
  readonly #broker: Broker
  readonly #options: BridgeOptions
  readonly #topics: TopicMap
  readonly #counters = newCounters()
  readonly #narrator: Narrator
  readonly #state: StateTopics
  #life: Life | undefined
  #running: Promise<void> = Promise.resolve()
  #closing = false
  #wake: () => void = () => {}

  /** Use {@link bridge}. */
  constructor(broker: Broker, options: BridgeOptions) {
    this.name = options.name
    this.#broker = broker
    this.#options = options
    this.#topics = new TopicMap(options.name, options.topics)
    this.#narrator = new Narrator(options)
    this.#state = new StateTopics(broker, options, (topic, error) => this.#narrator.stateRefused(topic, error))
  }

  /** As it is now. */
  get view(): BridgeView {
    const { name } = this
    const life = this.#life
    const server = life?.server
    return {
      name,
      connected: server !== undefined,
      since: this.#narrator.since,
      server: server?.server,
      version: server?.version,
      problem: server ? undefined : this.#narrator.problem,
      queued: life?.session.queued ?? 0,
      ...this.#counters,
      dropped: { ...this.#counters.dropped },
    }
  }

  /** The first life begins, or the error is the caller's. */
  async start(): Promise<void> {
    await this.#state.tell(false)
    const first = await this.#begin()
    this.#running = this.#run(first)
  }

  /**
   * Ends it in order: nothing more is taken, what is on its way has a moment to arrive, and the rest waits in both sessions for
   * the next bridge of this name. Repeating it is harmless.
   */
  async close(): Promise<void> {
    this.#closing = true
    this.#wake()
    await this.#life?.close()
    await this.#running
  }

  /** Ends it for good: what waits in its session here is gone, and the other broker is asked to forget its own (5.0). */
  async end(): Promise<void> {
    this.#closing = true
    this.#wake()
    await this.#life?.close(true)
    await this.#running
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(first: Life): Promise<void> {
    for (let life: Life | undefined = first; life; life = await this.#next()) {
      const error = await life.ended
      this.#life = undefined
      await this.#state.tell(false)
      if (this.#closing || isBrokersEnd(error)) return
      this.#narrator.over(error)
    }
  }

  /** After a while; undefined: it was closed meanwhile. */
  async #next(): Promise<Life | undefined> {
    while (!this.#closing) {
      await this.#wait(this.#options.reconnect?.maxMs ?? 30_000)
      if (this.#closing) return undefined
      try {
        return await this.#begin()
      } catch (error) {
        if (isBrokersEnd(error)) return undefined
        this.#narrator.over(error)
      }
    }
    return undefined
  }

  async #begin(): Promise<Life> {
    const life = await Life.begin(this.#broker, this.#options, {
      topics: this.#topics,
      counters: this.#counters,
      narrator: this.#narrator,
      state: this.#state,
    })
    this.#life = life
    if (this.#closing) await life.close()
    return life
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = timerOf(this.#options)(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }
}

function isBrokersEnd(error: unknown): boolean {
  return error instanceof BrokerError && error.code === 'closed'
}

/**
 * Looks at options without making a bridge.
 * @throws BridgeError, or InvalidArgumentError of the client, for what cannot be.
 */
export function checkBridge(options: BridgeOptions): void {
  checkOptions(options)
  new TopicMap(options.name, options.topics)
  checkRelay(options.url, clientOptions(options, { userProperties: [] }))
}

/**
 * Joins this broker to another one. The session here is there when the promise resolves; the connection is made, and made again, in
 * the background.
 *
 * @throws BridgeError, or InvalidArgumentError of the client, for options that cannot be; BrokerError `session-in-use`: this broker
 * has a bridge of that name; `refused`; `closed`.
 */
export async function bridge(broker: Broker, options: BridgeOptions): Promise<Bridge> {
  checkBridge(options)
  const made = new Bridge(broker, options)
  await made.start()
  return made
}
