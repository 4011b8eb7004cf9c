import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError } from '../command-error.js'
import { systemProblem } from '../system-problem.js'

/** One setting of a mosquitto configuration. */
export interface MosquittoLine {
  /** `FILE:LINE`. */
  readonly where: string
  readonly option: string
  /** What follows the option; as it has been read once its kind is known, else without the blanks around it. */
  readonly value: string
  /** The reading of the file it stands in: two lines of one file have the same. */
  readonly file: object
}

/** What mosquitto reads, and what it could not read. */
interface MosquittoText {
  readonly lines: readonly MosquittoLine[]
  /** `FILE:LINE` of all lines, those of `include_dir` too, in the order they are read. */
  readonly places: readonly string[]
  /** Folders of `include_dir` that cannot be read here, each with the reason. */
  readonly missing: readonly { readonly line: MosquittoLine; readonly why: string }[]
  /** Lines of `include_dir` that mosquitto does not start with. */
  readonly refused: readonly { readonly line: MosquittoLine; readonly why: string }[]
}

/**
 * The settings in the order mosquitto reads them; the files of `include_dir` stand in its place.
 * @throws CommandError for a file that cannot be read.
 */
export function mosquittoText(file: string): MosquittoText {
  const missing: { line: MosquittoLine; why: string }[] = []
  const refused: { line: MosquittoLine; why: string }[] = []
  const places: string[] = []
  const included = (line: MosquittoLine, folder: string): readonly MosquittoLine[] => {
    if (folder === '') {
      refused.push({ line, why: 'it names no folder' })
      return []
    }
    return confFiles(folder, (why) => missing.push({ line, why })).flatMap((name) => {
      return linesOf(join(folder, name)).flatMap(({ line: inner }) => {
        places.push(inner.where)
        if (inner.option !== 'include_dir') return [inner]
        refused.push({ line: inner, why: 'mosquitto takes it in the main file alone' })
        return []
      })
    })
  }
  const lines = linesOf(file).flatMap(({ line, rest }) => {
    places.push(line.where)
    return line.option === 'include_dir' ? included(line, rest) : [line]
  })
  return { lines, places, missing, refused }
}

/** @returns The lines, each with what follows its option and one blank. */
function linesOf(file: string): readonly { readonly line: MosquittoLine; readonly rest: string }[] {
  const text = read(file)
  const reading = {}
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((written, at) => {
      // A comment begins at the first column: an indented one mosquitto takes for an option, and does not start.
      const [, option = '', rest = ''] = /^ *([^ ]+) ?(.*)$/s.exec(written.replace(/\r+$/, '')) ?? []
      if (option === '' || option.startsWith('#')) return []
      return [{ line: { where: `${file}:${at + 1}`, option, value: withoutBlanks(rest), file: reading }, rest }]
    })
}

function withoutBlanks(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

/** In the order of mosquitto.conf(5): letters whatever their case, of the same letter the capital first. */
function confFiles(folder: string, missing: (why: string) => void): readonly string[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    missing(`cannot read the folder: ${systemProblem(error)}; what its files say is missing below`)
    return []
  }
  return names.filter((name) => name.endsWith('.conf') && name !== '.conf').sort(byLetter)
}

function byLetter(one: string, other: string): number {
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    const [a, b] = [one[at]!, other[at]!]
    const difference = compare(a.toUpperCase(), b.toUpperCase()) || compare(a, b)
    if (difference !== 0) return difference
  }
  return one.length - other.length
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${systemProblem(error)}`)
  }
}
