import type { Authenticator } from '../access/identity.js'
import type { Broker } from '../broker.js'
import type { Hooks } from '../hooks/hooks.js'
import type { Logger } from '../log.js'
import type { Clock } from '../time/clock.js'
import type { StandardSchema } from './standard-schema.js'

/** What a plugin is given: one object, the same for everything in one run of it. */
export interface PluginContext<Options = unknown, State = unknown> {
  /** The name of the plugin. */
  readonly name: string
  /** What the configuration says, as its schema has made it; `undefined` where it has no schema. */
  readonly options: Options
  /** What `state` has made; `undefined` without. */
  readonly state: State
  /** Lines of the broker's log, each with the plugin's name in front. */
  readonly log: Logger
  /** Aborted when this run is to end, just before `stop` is called. */
  readonly signal: AbortSignal
  /** The time of the broker. */
  readonly clock: Clock
}

/**
 * A plugin. Write it through {@link definePlugin}, so that the types of `options` and `state` are found out; they are found from top
 * to bottom, so `options` stands first, then `state`.
 */
export interface PluginDefinition<Options = undefined, State = undefined> {
  /** Letters, digits, `-`, `_` and `.`; in log lines and metrics, and the default of a session's Client Identifier. */
  readonly name: string
  /** What the options may be. Without it the plugin takes none. */
  readonly options?: StandardSchema<unknown, Options>
  /**
   * Makes what hooks, `start` and `stop` share. It opens nothing and asks nobody: `godwit config check` makes one too, and throws
   * it away. Default: `undefined`.
   */
  state?(plugin: Omit<PluginContext<Options>, 'state'>): State
  /**
   * Hooks as a program around a broker has them, or a function that makes them, before `start`. They are asked after those of the
   * command, plugin after plugin; the first that refuses decides. Nobody comes in before `start` is done.
   */
  readonly hooks?: Hooks | ((plugin: PluginContext<Options, State>) => Hooks)
  /**
   * Makes a link of the chain of authenticators, asked after those of the configuration; `undefined`: none with these options. For
   * users beside others. A hook `authenticate` is for what must hold for all of them.
   */
  authenticator?(plugin: PluginContext<Options, State>): Authenticator | undefined
  /**
   * Begins its work. Who waits for a server that may be away does not do it here: a start that fails, or takes longer than 30
   * seconds, stops the start of the command, and a reload changes nothing then.
   */
  start?(broker: Broker, plugin: PluginContext<Options, State>): unknown
  /** Ends its work; also after a `start` that has failed. For 10 seconds it is waited for. */
  stop?(plugin: PluginContext<Options, State>): unknown
  /** What it has counted since it began, by names of small letters and `_`; in the metrics of the command. */
  counts?(plugin: PluginContext<Options, State>): Readonly<Record<string, number>>
}

/** A plugin whose types do not matter any more. */
export interface Plugin {
  readonly name: string
  readonly options?: StandardSchema
  state?(plugin: PluginContext<never, never>): unknown
  readonly hooks?: Hooks | ((plugin: PluginContext<never, never>) => Hooks)
  authenticator?(plugin: PluginContext<never, never>): Authenticator | undefined
  start?(broker: Broker, plugin: PluginContext<never, never>): unknown
  stop?(plugin: PluginContext<never, never>): unknown
  counts?(plugin: PluginContext<never, never>): Readonly<Record<string, number>>
}

/**
 * A plugin as it is written, with the types of its parts. `export default` it from a module, and name that in `plugins` of a
 * configuration. It is looked at when it is loaded.
 */
export function definePlugin<Options = undefined, State = undefined>(
  definition: PluginDefinition<Options, State>,
): PluginDefinition<Options, State> {
  return definition
}
