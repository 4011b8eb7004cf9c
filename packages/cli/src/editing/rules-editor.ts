import { isDeepStrictEqual } from 'node:util'
import {
  type Edited,
  type EditOptions,
  NotEditable,
  NotThere,
  type Rule,
  type Rules,
  Unacceptable,
} from '@godwit/admin/parts'
import { BrokerError } from '@godwit/broker'
import { type AccessRule, parseAccessRules } from '@godwit/broker/access'
import type { EditedFile } from './edited-file.js'
import { rulesInText, type Splice, withRules } from './rules-text.js'

/** More than that nobody reads, and every decision looks through them. */
const mostRules = 10_000

/** The access rules of a file. */
export class RulesEditor implements Rules {
  readonly #file: EditedFile

  constructor(file: EditedFile) {
    this.#file = file
  }

  async list(): Promise<{ readonly etag: string; readonly rules: readonly AccessRule[] }> {
    const { text, etag } = await this.#file.read()
    return { etag, rules: this.#rulesIn(text) }
  }

  async replace(rules: readonly Rule[], options: EditOptions = {}): Promise<Edited> {
    const added = rules.map((rule, at) => checked(rule, `rule ${at}`))
    return this.#edit(options, (known) => ({ at: 0, removed: known.length, added }))
  }

  async add(
    rule: Rule,
    { at, ...options }: EditOptions & { readonly at?: number | undefined } = {},
  ): Promise<Edited & { readonly at: number }> {
    const added = [checked(rule)]
    let place = 0
    const edited = await this.#edit(options, ({ length }) => {
      place = at ?? length
      if (!Number.isInteger(place) || place < 0 || place > length) {
        throw new Unacceptable(`at is ${at}; it takes a place from 0 to ${length}`)
      }
      return { at: place, removed: 0, added }
    })
    return { ...edited, at: place }
  }

  async change(at: number, rule: Rule, options: EditOptions = {}): Promise<Edited> {
    const added = [checked(rule)]
    return this.#edit(options, (known) => ({ at: placeIn(known, at), removed: 1, added }))
  }

  remove(at: number, options: EditOptions = {}): Promise<Edited> {
    return this.#edit(options, (known) => ({ at: placeIn(known, at), removed: 1, added: [] }))
  }

  async #edit({ etag }: EditOptions, spliceOf: (known: readonly AccessRule[]) => Splice): Promise<Edited> {
    const { path } = this.#file
    const after = await this.#file.edit({
      etag,
      change: (text) => {
        const known = this.#rulesIn(text)
        const splice = spliceOf(known)
        const wanted = known.map(bare).toSpliced(splice.at, splice.removed, ...splice.added)
        if (wanted.length > mostRules)
          throw new Unacceptable(`there are ${wanted.length} rules; it takes ${mostRules} at most`)
        const changed = withRules(text, path, splice)
        if (isDeepStrictEqual(this.#rulesIn(changed).map(bare), wanted)) return changed
        throw new NotEditable(`${path} is written in a way that cannot be changed from here; edit it by hand`)
      },
    })
    return { etag: after.etag }
  }

  #rulesIn(text: string): readonly AccessRule[] {
    try {
      return rulesInText(text, this.#file.path)
    } catch (error) {
      if (error instanceof BrokerError) throw new NotEditable(`${error.message}; put it right with an editor first`)
      throw error
    }
  }
}

function bare({ where: _, ...rule }: AccessRule): Rule {
  return rule
}

/** Where it stood before is no part of it. */
function checked(rule: Rule, what = 'the rule'): Rule {
  const { where: _, ...given } = rule as AccessRule
  try {
    return bare(parseAccessRules([given], () => what)[0]!)
  } catch (error) {
    if (error instanceof BrokerError) throw new Unacceptable(error.message)
    throw error
  }
}

function placeIn({ length }: readonly AccessRule[], at: number): number {
  if (Number.isInteger(at) && at >= 0 && at < length) return at
  throw new NotThere(`there is no rule ${at}; there are ${length}, of which the first is 0`)
}
