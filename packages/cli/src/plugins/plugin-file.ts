import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'

/** The entry file of a plugin, as it is now. */
export interface PluginFile {
  /** Its whole path, without links. */
  readonly path: string
  /** What to import: another one when the file has changed, for Node keeps what it has loaded. */
  readonly url: string
}

/**
 * Finds the entry file of a plugin.
 * @param module a path that is whole, or the name of a package.
 * @param folder of the configuration: a package is looked for there, then where the command is.
 * @throws CommandError for a file that is not there, that others may change, or that this Node cannot run.
 */
export function pluginFile(module: string, folder: string): PluginFile {
  const path = realpath(module, isAbsolute(module) ? module : packageEntry(module, folder))
  refuseOthers(path)
  refuseTypeScript(path)
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
  return { path, url: `${pathToFileURL(path).href}?content=${digest}` }
}

function packageEntry(name: string, folder: string): string {
  for (const from of [resolve(folder), dirname(fileURLToPath(import.meta.url))]) {
    try {
      return createRequire(join(from, 'plugin')).resolve(name)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'MODULE_NOT_FOUND') throw new CommandError(`cannot load ${name}: ${message.split('\n')[0]}`)
    }
  }
  throw new CommandError(
    `there is no package ${name} for ${resolve(folder)} or for this command; npm install ${name}, or name a file, which begins with ./`,
  )
}

function realpath(module: string, path: string): string {
  try {
    const whole = realpathSync(path)
    if (statSync(whole).isFile()) return whole
  } catch (error) {
    throw new CommandError(`cannot read ${module}: ${systemProblem(error)}`, 1, { cause: error })
  }
  throw new CommandError(`cannot read ${module}: it is a folder; name the file in it`)
}

const mayBeWrittenByOthers = 0o002
const sticky = 0o1000

/**
 * Whoever may change the file, put others beside it, or put another folder in the place of its own, could do all that the broker
 * may do. Above its own folder, one like /tmp, in which everybody has files of their own, is no danger.
 */
function refuseOthers(path: string): void {
  if (process.platform === 'win32') return // permissions are not these bits there
  const own = dirname(path)
  for (let at = path; ; at = dirname(at)) {
    const { mode } = statSync(at)
    const isOpen = (mode & mayBeWrittenByOthers) !== 0 && (at === path || at === own || (mode & sticky) === 0)
    if (isOpen) {
      const what = at === path ? 'it ' : `${at}, in which it lies, `
      throw new CommandError(
        `${path} is not loaded: ${what}can be written by every user of this machine; chmod o-w ${at}`,
      )
    }
    if (dirname(at) === at) return
  }
}

function refuseTypeScript(path: string): void {
  const { typescript } = process.features as { typescript?: string | false }
  if (!/\.[mc]?ts$/.test(path) || typescript) return
  throw new CommandError(
    `${path} is TypeScript, which Node ${process.versions.node} does not run by itself: take Node 22.18 or newer, or name a file of JavaScript`,
  )
}
