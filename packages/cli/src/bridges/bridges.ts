import { isDeepStrictEqual } from 'node:util'
import { type Bridge, type BridgeOptions, type BridgeView, bridge } from '@godwit/bridge'
import type { Broker, Logger } from '@godwit/broker'
import type { Resolved } from '../config/resolve.js'
import type { Prepared, Reloadable } from '../control/reloading.js'
import { bridgeOptions } from './bridge-options-of.js'

/** A bridge that runs, and what it was made with. */
interface Running {
  readonly made: Bridge
  readonly options: BridgeOptions
}

/** The bridges of a broker, which follow its configuration: those that are as they were go on. */
export class Bridges implements Reloadable {
  readonly #broker: Broker
  readonly #log: Logger
  readonly #running = new Map<string, Running>()

  constructor(broker: Broker, log: Logger) {
    this.#broker = broker
    this.#log = log
  }

  /** @throws CommandError with the place of what is wrong; BrokerError. */
  async start(settings: Resolved): Promise<void> {
    for (const [name, options] of await this.#wanted(settings)) await this.#begin(name, options)
    await this.#tellOfLeftSessions()
  }

  /** As they are now, by name. */
  get views(): readonly BridgeView[] {
    return [...this.#running.values()]
      .map(({ made }) => made.view)
      .sort((one, other) => (one.name < other.name ? -1 : 1))
  }

  async prepare(next: Resolved): Promise<Prepared | undefined> {
    const wanted = await this.#wanted(next)
    const gone = [...this.#running.keys()].filter((name) => !wanted.has(name))
    const changed = [...wanted].filter(([name, options]) => !isSame(this.#running.get(name)?.options, options))
    if (gone.length === 0 && changed.length === 0) return undefined
    const names = [...gone, ...changed.map(([name]) => name)]
    return {
      reloaded: names.sort().map((name) => `bridge ${name}`),
      commit: () => this.#follow(gone, changed),
      abandon: () => {},
    }
  }

  /** In order: what is on its way has a moment to arrive. */
  async close(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ made }) => made.close()))
    this.#running.clear()
  }

  async #wanted(settings: Resolved): Promise<ReadonlyMap<string, BridgeOptions>> {
    const wanted = new Map<string, BridgeOptions>()
    for (const [at, { name }] of settings.config.bridges.entries()) {
      wanted.set(name, await bridgeOptions(settings, at, this.#log))
    }
    return wanted
  }

  async #follow(gone: readonly string[], changed: readonly (readonly [string, BridgeOptions])[]): Promise<void> {
    await Promise.all([
      ...gone.map(async (name) => {
        const running = this.#running.get(name)!
        this.#running.delete(name)
        const { queued } = running.made.view
        await running.made.end()
        this.#log.log(queued > 0 ? 'warn' : 'info', 'bridge removed, with what waited for it', { bridge: name, queued })
      }),
      ...changed.map(async ([name, options]) => {
        await this.#running.get(name)?.made.close()
        try {
          await this.#begin(name, options)
        } catch (error) {
          this.#running.delete(name)
          this.#log.log('error', 'bridge not started', { bridge: name, error: (error as Error).message })
        }
      }),
    ])
  }

  async #begin(name: string, options: BridgeOptions): Promise<void> {
    this.#running.set(name, { made: await bridge(this.#broker, options), options })
  }

  /** A bridge that was taken out of the file while the broker was down has left a session, in which messages gather. */
  async #tellOfLeftSessions(): Promise<void> {
    const known = new Set(
      [...this.#running.values()].map(({ options }) => options.localClientId ?? `bridge/${options.name}`),
    )
    for await (const { clientId } of this.#broker.sessions.list()) {
      if (!clientId.startsWith('bridge/') || known.has(clientId)) continue
      this.#log.log('warn', 'a session of a bridge that is not configured is kept; godwit kick --end-session ends it', {
        clientId,
      })
    }
  }
}

/** Functions (the proxy's, the log's) are made anew each time and say nothing. */
function isSame(one: BridgeOptions | undefined, other: BridgeOptions): boolean {
  return one !== undefined && isDeepStrictEqual(data(one), data(other))
}

function data({ log: _, dial, ...options }: BridgeOptions): object {
  return { ...options, isDialed: dial !== undefined }
}
