import { BrokerError, type Logger } from '@godwit/broker'
import { type CallWatch, PluginOptionsError, type PreparedPlugin, preparePlugin } from '@godwit/broker/plugin'
import { CommandError } from '../command-error.js'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import { type PluginFile, pluginFile } from './plugin-file.js'

/** A plugin of the configuration, ready to be started. */
export interface LoadedPlugin {
  readonly plugin: PreparedPlugin
  /** All that it was made from: where that is the same, it is the same. */
  readonly from: PluginSource
  /** When it was loaded, in epoch ms. */
  readonly since: number
}

/** What a plugin is made from. */
interface PluginSource {
  readonly module: string
  readonly name: string | undefined
  readonly options: unknown
  /** With the content of the entry file. */
  readonly url: string
}

/** A module that waits for something at its top level is not waited for longer. */
const longestLoadMs = 30_000

/**
 * What the plugin at that place of the configuration is made from, as it is now.
 * @throws CommandError with the place.
 */
export function sourceOf(settings: Resolved, at: number): Promise<PluginSource> {
  const { module, name, options } = settings.config.plugins[at]!
  return inPlace(settings, ['plugins', at, 'module'], () => {
    const { url }: PluginFile = pluginFile(module, folderOf(settings, at))
    return { module, name, options, url }
  })
}

/**
 * Loads a module and prepares the plugin that it exports.
 * @throws CommandError with the place in the configuration, of a wrong option too.
 */
export async function loadPlugin(
  settings: Resolved,
  at: number,
  from: PluginSource,
  log: Logger,
  watch?: CallWatch,
): Promise<LoadedPlugin> {
  const { module, name, options, url } = from
  const path = ['plugins', at, 'module']
  const exported = await inPlace(settings, path, () => imported(module, url))
  try {
    const more = { ...(watch && { watch }), ...(name !== undefined && { name }) }
    return { plugin: await preparePlugin(exported, options, { log, ...more }), from, since: Date.now() }
  } catch (error) {
    throw inItsPlace(settings, at, error)
  }
}

/** The folder of the file that names the module; of what is said elsewhere, the one where the command was started. */
function folderOf({ origin }: Resolved, at: number): string {
  const [, file] = /^(.+):\d+:\d+$/.exec(origin(['plugins', at, 'module'])) ?? []
  return file === undefined ? '.' : file.replace(/[^/\\]*$/, '') || '.'
}

async function imported(module: string, url: string): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it is not loaded after ${longestLoadMs / 1000} seconds`)), longestLoadMs)
  })
  try {
    const loaded = (await Promise.race([import(url), late])) as { readonly default?: unknown }
    if (loaded.default !== undefined) return loaded.default
  } catch (error) {
    throw new CommandError(`cannot load ${module}: ${problemOf(error, url)}`, 1, { cause: error })
  } finally {
    clearTimeout(timer)
  }
  throw new CommandError(`${module} has no default export; it takes export default definePlugin({ name: … })`)
}

/** In one line, with the line of the file, where it is known: only the stack has it. */
function problemOf(error: unknown, url: string): string {
  if (!(error instanceof Error)) return String(error)
  const { pathname } = new URL(url)
  const [, after = ''] = (error.stack ?? '').split(pathname)
  const [, line] = /^(?:\?content=\w+)?:(\d+)/.exec(after) ?? []
  const [message] = error.message.split('\n')
  return `${error.name}: ${message}${line === undefined ? '' : ` (line ${line})`}`
}

function inItsPlace({ origin }: Resolved, at: number, error: unknown): unknown {
  if (!(error instanceof BrokerError)) return error
  if (!(error instanceof PluginOptionsError)) return new CommandError(placed(origin(['plugins', at]), error.message))
  const lines = error.issues.map(({ path, message }) => {
    const whole = ['plugins', at, 'options', ...path]
    const what = path.reduce<string>(
      (words, step) => `${words}${typeof step === 'number' ? `[${step}]` : `.${step}`}`,
      `plugins[${at}].options`,
    )
    return placed(placeOf(origin, whole), `${what}: ${message}`)
  })
  return CommandError.all(lines)
}

/** Of what is missing: the place of what it is missing in. */
function placeOf(origin: Resolved['origin'], path: readonly (string | number)[]): string {
  for (let length = path.length; length > 2; length--) {
    const place = origin(path.slice(0, length))
    if (place !== 'default') return place
  }
  return origin(path.slice(0, 2))
}

const placed = (place: string, message: string): string => (place === 'default' ? message : `${place}: ${message}`)
