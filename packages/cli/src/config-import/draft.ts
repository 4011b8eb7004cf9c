import type { Path } from '../config/layers.js'
import type { MosquittoLine } from './mosquitto-lines.js'

/** Something to tell about one setting. */
export interface Note {
  /** `FILE:LINE`; empty for what no line says. */
  readonly where: string
  /** The line as it stands there. */
  readonly said: string
  readonly why: string
}

/** A place that can be told of: a line, or an entry of another file. */
export type Place = Pick<MosquittoLine, 'where' | 'option' | 'value'>

/** A configuration in the making: values, where each comes from, and what there is to tell. */
export class Draft {
  readonly values: Record<string, unknown> = {}
  /** What mosquitto does not start with. */
  readonly refused: Note[] = []
  /** What could not be translated, and what to do instead. */
  readonly untranslated: Note[] = []
  /** What is translated as one version of mosquitto reads it, and another does not; what is worth a second look. */
  readonly remarks: Note[] = []
  /** What needs no setting here. */
  readonly needless: Note[] = []
  /** A password file that is to be written. */
  passwords: string | undefined
  /** Files that are to be written, each with one secret. */
  readonly secrets = new Map<string, string>()
  readonly #origins = new Map<string, string>()
  readonly #lines = new Map<string, Place>()

  /** @param how what should be known about the value. */
  set(path: Path, value: unknown, line: Place | undefined, how?: string): void {
    let at: Record<string | number, unknown> = this.values
    for (const [depth, step] of path.entries()) {
      if (depth === path.length - 1) at[step] = value
      else {
        at[step] ??= typeof path[depth + 1] === 'number' ? [] : {}
        at = at[step] as typeof at
      }
    }
    const origin = line ? `${line.where} ${line.option}` : undefined
    const comment = [origin, how].filter((part) => part !== undefined).join('; ')
    const key = path.join('.')
    if (comment === '') this.#origins.delete(key)
    else this.#origins.set(key, comment)
    if (line) this.#lines.set(key, line)
  }

  /** For a bound that several options say: the lowest holds, and the others are told. */
  setLowest(path: Path, value: number, line: Place, how?: string): void {
    const before = this.at(path)
    const other = this.#lines.get(path.join('.'))
    if (typeof before === 'number' && other) {
      const [lower, higher] = before <= value ? [other, line] : [line, other]
      this.needsNothing(higher, `${lower.where} ${lower.option} is lower, and ${path.join('.')} is one bound for both`)
      if (lower === other) return
    }
    this.set(path, value, line, how)
  }

  at(path: Path): unknown {
    return path.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], this.values)
  }

  /** What stands behind a value as a comment. */
  originOf(path: Path): string | undefined {
    return this.#origins.get(path.join('.'))
  }

  refuse(line: Place, why: string): void {
    this.refused.push({ ...placeOf(line), why })
  }

  cannot(line: Place | undefined, why: string): void {
    this.untranslated.push({ ...placeOf(line), why })
  }

  remark(line: Place | undefined, why: string): void {
    this.remarks.push({ ...placeOf(line), why })
  }

  needsNothing(line: Place, why: string): void {
    this.needless.push({ ...placeOf(line), why })
  }
}

/** Passwords that mosquitto.conf may hold are not repeated. */
function placeOf(line: Place | undefined): Omit<Note, 'why'> {
  if (!line) return { where: '', said: '' }
  const value = /password$|psk$|^(auth|plugin)_opt_/.test(line.option) ? '…' : line.value
  return { where: line.where, said: `${line.option} ${value}`.trim() }
}
