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
import { asAclRules } from './acl-file-text.js'
import type { EditedFile } from './edited-file.js'
import type { Splice } from './rules-splice.js'
import { isOurForm, rulesInText, withRules } from './rules-text.js'

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
    const { etag } = await this.#edit(options, (known) => ({ at: 0, removed: known.length, added }))
    return { etag }
  }

  async add(
    rule: Rule,
    { at, ...options }: EditOptions & { readonly at?: number | undefined } = {},
  ): Promise<Edited & { readonly at: number }> {
    const added = [checked(rule)]
    return this.#edit(options, ({ length }) => {
      if (at !== undefined && (!Number.isInteger(at) || at < 0 || at > length)) {
        throw new Unacceptable(`at is ${at}; it takes a place from 0 to ${length}`)
      }
      return { at, removed: 0, added }
    })
  }

  async change(at: number, rule: Rule, options: EditOptions = {}): Promise<Edited & { readonly at: number }> {
    const added = [checked(rule)]
    return this.#edit(options, (known) => ({ at: placeIn(known, at), removed: 1, added }))
  }

  async remove(at: number, options: EditOptions = {}): Promise<Edited> {
    const { etag } = await this.#edit(options, (known) => ({ at: placeIn(known, at), removed: 1, added: [] }))
    return { etag }
  }

  /** Answers where the first of the rules that were added stands. */
  async #edit(
    { etag }: EditOptions,
    spliceOf: (known: readonly AccessRule[]) => Splice,
  ): Promise<Edited & { readonly at: number }> {
    const { path } = this.#file
    let at = 0
    const after = await this.#file.edit({
      etag,
      change: (text) => {
        const known = this.#rulesIn(text)
        const splice = spliceOf(known)
        const wanted = known.length - splice.removed + splice.added.length
        if (wanted > mostRules) throw new Unacceptable(`there are ${wanted} rules; it takes ${mostRules} at most`)
        const changed = withRules(text, path, splice)
        const found = placeAfter(known.map(bare), splice, this.#rulesIn(changed).map(bare), path)
        if (found === undefined)
          throw new NotEditable(`${path} is written in a way that cannot be changed from here; edit it by hand`)
        at = found
        return changed
      },
    })
    return { etag: after.etag, at }
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

/**
 * Where the first of the added rules stands now; `undefined`: the rules are not what they were to become.
 * @throws Unacceptable for a place that is not the rule's, in a file that has an order of its own.
 */
function placeAfter(before: readonly Rule[], splice: Splice, after: readonly Rule[], file: string): number | undefined {
  const { at = before.length, removed, added } = splice
  if (isOurForm(file)) return isDeepStrictEqual(after, before.toSpliced(at, removed, ...added)) ? at : undefined
  const asRead = asAclRules(added, file)
  const wanted = before.toSpliced(at, removed, ...asRead)
  if (!isDeepStrictEqual(inAnyOrder(after), inAnyOrder(wanted))) return undefined
  const place = after.findLastIndex((rule) => isDeepStrictEqual(rule, asRead[0]))
  if (splice.at !== undefined && removed === 0 && place !== at) {
    throw new Unacceptable(
      `at is ${at}; in mosquitto's acl_file what denies comes first and what is for everybody last, so that this rule stands at ${place}: leave at out`,
    )
  }
  return Math.max(place, 0)
}

const inAnyOrder = (rules: readonly Rule[]): readonly string[] =>
  rules.map((rule) => JSON.stringify(Object.entries(rule).toSorted())).toSorted()

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
