import type { Broker } from '../broker.js'
import { BrokerError } from '../errors.js'
import type { InsideMessage } from '../inside/inside-message.js'
import type { InsideSession } from '../inside/inside-session.js'
import { BatchQueue } from './batch-queue.js'
import { BatchWriter } from './batch-writer.js'
import { codeOf, inWords } from './in-words.js'
import {
  type CheckedOutlet,
  checkOutlet,
  type OutletCounts,
  type OutletMessage,
  type OutletOptions,
} from './outlet-options.js'
import { openSession, outgoing } from './outlet-session.js'
import { OutletStanding, type OutletView } from './outlet-view.js'
import { pause } from './pause.js'
import type { PluginContext } from './plugin.js'
import { showOutlet, watchedCall } from './watched-call.js'

/**
 * The way of messages out of the broker: a session inside it, from which they are taken in batches, written one batch after
 * another, and acknowledged when the destination has them. While that is away they wait in the session, on disk, in their order.
 */
export interface Outlet {
  readonly counts: Readonly<OutletCounts>
  /** As it is now. */
  readonly view: OutletView
  /**
   * Takes no more, gives a write under way its grace, and closes the session, which keeps what is not written. Done by itself when
   * the plugin's signal is aborted; then this is to wait for it.
   */
  close(): Promise<void>
}

/** Of a plugin what an outlet needs. */
type OutletPlugin = Pick<PluginContext, 'name' | 'log' | 'signal' | 'clock'>

/**
 * Opens an outlet. When it resolves, what is published from then on is in the session; it is at work until the plugin ends. Where
 * an earlier run of the plugin uses the session, it waits for that behind the scenes.
 * @param plugin what `start` was given.
 * @throws BrokerError `invalid-option`; `invalid-topic`; `refused`: as many sessions as the broker keeps, or no room; `closed`.
 */
export async function openOutlet(broker: Broker, plugin: OutletPlugin, options: OutletOptions): Promise<Outlet> {
  const outlet = new SessionOutlet(broker, plugin, checkOutlet(plugin.name, options))
  await outlet.opened
  return outlet
}

/** After this its session is tried again, when it cannot be opened; doubled each time. */
const firstOpenMs = 100
/** From so many failures on they are told: another run of the plugin may just be ending. */
const toldFrom = 6

class SessionOutlet implements Outlet {
  readonly #broker: Broker
  readonly #plugin: OutletPlugin
  readonly #options: CheckedOutlet
  readonly #writer: BatchWriter
  readonly #standing: OutletStanding
  #session: InsideSession | undefined
  readonly #ending = new AbortController()
  /** Settles with the first attempt to open the session. */
  readonly opened: Promise<void>
  readonly #life: Promise<void>
  #onOpened: (error?: unknown) => void = () => {}
  #failures = 0

  constructor(broker: Broker, plugin: OutletPlugin, options: CheckedOutlet) {
    this.#broker = broker
    this.#plugin = plugin
    this.#options = options
    const watched = { ...options, write: watchedCall(plugin, 'write', options.write) }
    this.#standing = new OutletStanding(plugin.clock)
    this.#writer = new BatchWriter(watched, plugin, this.#standing, (message, why) => this.#keepRefused(message, why))
    const hide = showOutlet(plugin, this)
    if (plugin.signal.aborted) this.#end()
    else plugin.signal.addEventListener('abort', () => this.#end(), { once: true })
    this.opened = new Promise((resolve, reject) => {
      this.#onOpened = (error) => (error === undefined || isInUse(error) ? resolve() : reject(error))
    })
    this.#life = this.#live().finally(hide)
  }

  get view(): OutletView {
    const { problem, since } = this.#standing
    const { clientId } = this.#options
    return { clientId, problem, since, queued: this.#session?.queued ?? 0, ...this.counts }
  }

  get counts(): Readonly<OutletCounts> {
    return this.#writer.counts
  }

  close(): Promise<void> {
    this.#end()
    return this.#life
  }

  #end(): void {
    if (this.#ending.signal.aborted) return
    this.#ending.abort()
    const cancel = this.#plugin.clock.timeout(this.#options.graceMs, () => this.#writer.cutOff())
    void this.#life?.then(cancel)
  }

  /** One session after another, should somebody end it. */
  async #live(): Promise<void> {
    const over = this.#ending.signal
    while (!over.aborted) {
      try {
        await this.#serve()
      } catch (error) {
        this.#onOpened(error)
        if (codeOf(error) === 'closed') return
        if (over.aborted) return
        this.#standing.fails('session', inWords(error))
        const retryMs = Math.min(firstOpenMs * 2 ** Math.min(this.#failures++, 30), this.#options.mostRetryMs)
        if (this.#failures >= toldFrom || !isInUse(error)) {
          const fields = { error: inWords(error), retryMs }
          this.#plugin.log.log('warn', 'its session is not there, and is opened again', fields)
        }
        await pause(retryMs, this.#plugin.clock, over)
      }
    }
  }

  /** From the opening of the session to its end. */
  async #serve(): Promise<void> {
    const { idPrefix } = this.#options
    const { clock } = this.#plugin
    const queue = new BatchQueue(this.#options, clock)
    const over = new AbortController()
    const end = (): void => {
      over.abort()
      queue.close()
    }
    this.#ending.signal.addEventListener('abort', end)
    try {
      const take = (message: InsideMessage): unknown => queue.put(outgoing(message, idPrefix, clock))
      const session = await openSession(this.#broker, this.#options, take)
      void session.closed.then(end, end)
      this.#session = session
      this.#failures = 0
      this.#standing.goesOn('session')
      this.#onOpened()
      if (this.#ending.signal.aborted) end()
      for (let batch = await queue.take(); batch; batch = await queue.take()) {
        await this.#writer.write(batch, over.signal, acknowledge)
      }
      await session.close()
      await session.closed // says who has ended it, unless it was the broker or this
      if (!this.#ending.signal.aborted) throw new BrokerError('closed', 'the broker has been closed')
    } finally {
      this.#session = undefined
      this.#ending.signal.removeEventListener('abort', end)
    }
  }

  async #keepRefused({ topic, id, payload }: OutletMessage, why: string): Promise<void> {
    const { refusedTopic } = this.#options
    if (refusedTopic === undefined) return
    const userProperties: readonly (readonly [string, string])[] = [
      ['topic', topic],
      ['id', id],
      ['reason', why.replaceAll(/\p{C}/gu, ' ').slice(0, 1000)],
    ]
    await this.#broker.publish(refusedTopic, payload, { qos: 1, properties: { userProperties } })
  }
}

const isInUse = (error: unknown): boolean => codeOf(error) === 'session-in-use'

/** From the first on; the store gathers them into one commit. A session that has ended brings them again. */
function acknowledge(messages: readonly OutletMessage[]): void {
  for (const message of messages) void (message as OutletMessage & InsideMessage).ack()
}
