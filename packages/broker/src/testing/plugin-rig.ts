import { authenticationChain } from '../access/authentication-chain.js'
import { type Broker, createBroker } from '../broker.js'
import type { BrokerOptions } from '../options.js'
import { type PreparedPlugin, preparePlugin } from '../plugin/prepared-plugin.js'
import { VirtualClock } from './virtual-clock.js'

/** A plugin at work on a broker of its own, whose time belongs to the test. */
export interface PluginRig extends AsyncDisposable {
  readonly broker: Broker
  readonly clock: VirtualClock
  readonly plugin: PreparedPlugin
  /** Lines of the log: `warn plugin webhook: messages wait {"error":…}`. */
  readonly log: readonly string[]
  /** Resolves with the first line that matches and has not been asked for before, when it is there. */
  said(pattern: RegExp): Promise<string>
  /** Ends the plugin, then the broker. */
  stop(): Promise<void>
}

/**
 * Starts a plugin on a new broker, by default in memory.
 * @param given for the broker, such as a store.
 * @throws BrokerError as `preparePlugin` and its `start` do.
 */
export async function startPlugin(plugin: unknown, options?: unknown, given: BrokerOptions = {}): Promise<PluginRig> {
  const clock = given.clock instanceof VirtualClock ? given.clock : new VirtualClock(Date.now())
  const lines: string[] = []
  const asked = new Set<number>()
  let waiting: (() => void)[] = []
  const log = {
    log(level: string, message: string, fields: object = {}): void {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
      for (const look of waiting) look()
    },
  }
  const prepared = await preparePlugin(plugin, options, { log, clock })
  const { authenticator } = prepared
  const chain = authenticator ? [authenticationChain([authenticator], { backOff: false, log, clock })] : []
  const hooks = [...chain, ...prepared.hooks]
  const broker = await createBroker({ clock, log, sysIntervalSeconds: 0, ...given, hooks })
  const stop = async (): Promise<void> => {
    await prepared.stop()
    await broker.close()
  }
  await prepared.start(broker).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return {
    broker,
    clock,
    plugin: prepared,
    log: lines,
    said(pattern) {
      return new Promise((resolve) => {
        const look = (): void => {
          const at = lines.findIndex((line, index) => !asked.has(index) && pattern.test(line))
          if (at < 0) return
          asked.add(at)
          waiting = waiting.filter((other) => other !== look)
          resolve(lines[at]!)
        }
        waiting.push(look)
        look()
      })
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
