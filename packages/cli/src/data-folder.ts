import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { CommandError } from './command-error.js'
import { systemProblem } from './system-problem.js'

/**
 * Makes sure that the folder exists and may be written.
 * @returns Its absolute path.
 * @throws CommandError
 */
export function prepareDataFolder(path: string): string {
  const folder = resolve(path)
  try {
    makeFolder(folder)
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new CommandError(
      `cannot use the data folder ${folder}: ${systemProblem(error)}; choose another with --data FOLDER, or --data memory`,
    )
  }
  return folder
}

/** Not mkdir's `recursive`: in Node 20 it never returns where the system denies a folder with ENOENT, as under /proc. */
function makeFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
  const parent = dirname(folder)
  if (!existsSync(parent)) makeFolder(parent)
  mkdirSync(folder, 0o700) // messages are nobody else's to read
}
