import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type CallWatch,
  definePlugin,
  MessageRefusedError,
  type Outlet,
  type OutletMessage,
  type OutletOptions,
  openOutlet,
  type PreparedPlugin,
  preparePlugin,
} from '../src/plugin/index.js'
import type { Rig } from './rig.js'
import { settled } from './rig.js'

/** Where messages go: it has them, is away, or refuses some. */
export class Destination {
  isAway = false
  /** Payloads that it will never have. */
  readonly refuses = new Set<string>()
  readonly has: string[] = []
  readonly ids: string[] = []
  /** Sizes of the batches that it was given, with those it did not take. */
  readonly batches: number[] = []
  /** Set: a write does not end before its signal is aborted, and then this way. */
  hangs: 'heeds' | 'ignores' | undefined

  readonly write: OutletOptions['write'] = async (messages, { signal }) => {
    this.batches.push(messages.length)
    if (this.hangs === 'ignores') await new Promise(() => {})
    if (this.hangs) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    if (this.isAway) throw new Error('nobody is there')
    const refused = messages.find((message) => this.refuses.has(message.text()))
    if (refused) throw new MessageRefusedError(`not ${refused.text()}`)
    this.#take(messages)
  }

  #take(messages: readonly OutletMessage[]): void {
    for (const message of messages) {
      this.has.push(message.text())
      this.ids.push(message.id)
    }
  }
}

/** A plugin that is nothing but an outlet, at work on a broker. */
export async function startOutlet(
  rig: Rig,
  options: OutletOptions,
  watch?: CallWatch,
): Promise<PreparedPlugin & { outlet: Outlet }> {
  const state: { outlet?: Outlet } = {}
  const plugin = definePlugin({
    name: 'out',
    async start(broker, run) {
      state.outlet = await openOutlet(broker, run, options)
    },
    stop: () => state.outlet?.close(),
  })
  const log = {
    log: (level: string, message: string, fields = {}) =>
      void rig.log.push(`${level} ${message} ${JSON.stringify(fields)}`),
  }
  const prepared = await preparePlugin(plugin, undefined, { log, clock: rig.clock, ...(watch && { watch }) })
  await prepared.start(rig.broker)
  await settled()
  return Object.assign(prepared, { outlet: state.outlet! })
}

/** Turns of the event loop until that is so; the disk has turns of its own. */
export async function until(condition: () => boolean, turns = 100_000): Promise<void> {
  for (let left = turns; left > 0 && !condition(); left--) await nextTurn()
  if (!condition()) throw new Error('it does not come')
}
