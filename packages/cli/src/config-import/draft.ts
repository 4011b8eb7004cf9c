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

/** A configuration in the making: values, where each comes from, and what there is to tell. */
export class Draft {
  readonly values: Record<string, unknown> = {}
  /** What could not be translated, and what to do instead. */
  readonly untranslated: Note[] = []
  /** What needs no setting here. */
  readonly needless: Note[] = []
  readonly #origins = new Map<string, string>()

  /** @param how what should be known about the value. */
  set(path: Path, value: unknown, line: MosquittoLine | undefined, how?: string): void {
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
    if (comment !== '') this.#origins.set(path.join('.'), comment)
  }

  /** What stands behind a value as a comment. */
  originOf(path: Path): string | undefined {
    return this.#origins.get(path.join('.'))
  }

  cannot(line: MosquittoLine | undefined, why: string): void {
    this.untranslated.push({ ...placeOf(line), why })
  }

  needsNothing(line: MosquittoLine, why: string): void {
    this.needless.push({ ...placeOf(line), why })
  }
}

/** Passwords that mosquitto.conf may hold are not repeated. */
function placeOf(line: MosquittoLine | undefined): Omit<Note, 'why'> {
  if (!line) return { where: '', said: '' }
  const value = /password|psk$|^(auth|plugin)_opt_/.test(line.option) ? '…' : line.value
  return { where: line.where, said: `${line.option} ${value}`.trim() }
}
