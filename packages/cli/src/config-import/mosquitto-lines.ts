import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'

/** One setting of a mosquitto configuration. */
export interface MosquittoLine {
  /** `FILE:LINE`. */
  readonly where: string
  readonly option: string
  /** What follows the option, without the spaces around it. */
  readonly value: string
}

/**
 * The settings in the order mosquitto reads them; the files of `include_dir` stand in its place.
 * @throws CommandError for a file or folder that cannot be read.
 */
export function mosquittoLines(file: string): readonly MosquittoLine[] {
  return linesOf(file).flatMap((line) => {
    if (line.option !== 'include_dir') return [line]
    const files = confFiles(line.value, line.where)
    return files.flatMap((included) => linesOf(join(line.value, included)))
  })
}

function linesOf(file: string): readonly MosquittoLine[] {
  const text = read(() => readFileSync(file, 'utf8'), `cannot read ${file}`)
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, at) => {
      if (line.startsWith('#') || line.trim() === '') return []
      const [, option = '', value = ''] = /^\s*(\S+)\s*(.*?)\s*$/.exec(line) ?? []
      return [{ where: `${file}:${at + 1}`, option, value }]
    })
}

/** Sorted by character code, as mosquitto sorts them: capitals first. */
function confFiles(folder: string, where: string): readonly string[] {
  const names = read(() => readdirSync(folder), `${where}: cannot read include_dir ${folder}`)
  return names.filter((name) => name.endsWith('.conf')).sort()
}

function read<T>(how: () => T, problem: string): T {
  try {
    return how()
  } catch (error) {
    throw new CommandError(`${problem}: ${systemProblem(error)}`)
  }
}
