import { readFileSync } from 'node:fs'
import { CommandError } from './command-error.js'
import { systemProblem } from './system-problem.js'

/** @param setting that names the file. @throws CommandError */
export function fileText(file: string, setting: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read ${setting} ${file}: ${systemProblem(error)}`, 1, { cause: error })
  }
}

/**
 * Headers of HTTP from a file: lines of `name: value`.
 * @throws CommandError naming the line, without what it says.
 */
export function headersOf(file: string): Readonly<Record<string, string>> {
  const lines = fileText(file, 'headersFile').split(/\r?\n/)
  const entries = lines.flatMap((line, at) => {
    if (line.trim() === '') return []
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):\s*(.+)$/.exec(line) ?? []
    if (name === undefined || value === undefined) throw new CommandError(`${file}:${at + 1}: it takes "name: value"`)
    return [[name.toLowerCase(), value.trim()]]
  })
  return Object.fromEntries(entries) as Readonly<Record<string, string>>
}
