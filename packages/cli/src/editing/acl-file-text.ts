import { NotEditable, type Rule, Unacceptable } from '@godwit/admin/parts'
import { type AccessRule, mosquittoAcl } from '@godwit/broker/access'
import type { Splice } from './rules-splice.js'

/** Where a line has to stand: before the first `user`, behind that of its user, or anywhere. */
type Section =
  | { readonly of: 'anonymous' }
  | { readonly of: 'pattern' }
  | { readonly of: 'user'; readonly user: string }

interface Line {
  readonly section: Section
  readonly text: string
  /** What the line is read as. */
  readonly rule: Rule
}

/**
 * The text of mosquitto's acl_file with other rules in it; remarks and all other lines stay as they are. Where a rule stands among
 * the others follows from what it says, since the file's order means nothing: what denies comes first, and patterns come last.
 * @param known the rules of the text.
 * @throws NotEditable for a rule that such a file cannot say.
 */
export function withAclLines(text: string, file: string, known: readonly AccessRule[], splice: Splice): string {
  const { at = known.length, removed, added } = splice
  const ended = known.slice(at, at + removed).map(lineOf)
  const lines = added.map((rule) => lineFor(rule, file))
  const edited = new AclText(text)
  const [line] = lines
  if (line && ended.length === 1 && lines.length === 1 && isSame(line.section, sectionOf(known[at]!))) {
    edited.replace(ended[0]!, line)
  } else {
    edited.remove(ended)
    for (const one of lines) edited.add(one)
  }
  return edited.text
}

/** The rules as the lines that say them are read. @throws NotEditable for one that such a file cannot say. */
export function asAclRules(rules: readonly Rule[], file: string): readonly Rule[] {
  return rules.map((rule) => lineFor(rule, file).rule)
}

/** Lines, each with its end as it is. */
class AclText {
  readonly #mark: string
  readonly #end: string
  #lines: string[]

  constructor(text: string) {
    this.#mark = text.startsWith('\uFEFF') ? '\uFEFF' : ''
    this.#end = text.includes('\r\n') ? '\r\n' : '\n'
    this.#lines = text.slice(this.#mark.length).match(/[^\n]*\n|[^\n]+$/g) ?? []
  }

  get text(): string {
    return this.#mark + this.#lines.join('')
  }

  replace(at: number, { text }: Line): void {
    this.#lines[at] = this.#lines[at]!.replace(
      /^(\s*).*?(\r?\n?)$/s,
      (_, indent: string, end: string) => indent + text + end,
    )
  }

  remove(ended: readonly number[]): void {
    this.#lines = this.#lines.filter((_, at) => !ended.includes(at))
  }

  /** Behind the last line of its section; one that is not there is begun at the end. */
  add({ section, text }: Line): void {
    const end = this.#lines.length
    if (section.of === 'pattern') return this.#insert(end, [text])
    if (section.of === 'anonymous') return this.#insert(this.#placeBeforeUsers(), [text])
    const place = this.#placeOf(section.user)
    if (place !== undefined) return this.#insert(place, [text])
    this.#insert(end, [...(end > 0 ? [''] : []), `user ${section.user}`, text])
  }

  #insert(at: number, texts: readonly string[]): void {
    const last = this.#lines[at - 1]
    if (last !== undefined && !last.endsWith('\n')) this.#lines[at - 1] = last + this.#end
    this.#lines.splice(at, 0, ...texts.map((text) => text + this.#end))
  }

  /** Behind the last line that means something; remarks right above the first `user` are about it. */
  #placeBeforeUsers(): number {
    const first = this.#lines.findIndex((line) => userIn(line) !== undefined)
    if (first < 0) return this.#lines.length
    const rule = this.#lines.slice(0, first).findLastIndex(isRule)
    if (rule >= 0) return rule + 1
    let place = first
    while (place > 0 && this.#lines[place - 1]!.trim().startsWith('#')) place--
    return place
  }

  #placeOf(user: string): number | undefined {
    const begin = this.#lines.findLastIndex((line) => userIn(line) === user)
    if (begin < 0) return undefined
    const next = this.#lines.findIndex((line, at) => at > begin && userIn(line) !== undefined)
    const rule = this.#lines.slice(begin, next < 0 ? undefined : next).findLastIndex(isRule)
    return begin + Math.max(rule, 0) + 1
  }
}

const userIn = (line: string): string | undefined => /^\s*user\s+(.*?)\s*$/s.exec(line)?.[1]
const isRule = (line: string): boolean => /^\s*(?:topic|pattern)\s/.test(line)

/** From 0. */
function lineOf({ where = '' }: AccessRule): number {
  return Number(/:(\d+)$/.exec(where)?.[1]) - 1
}

function sectionOf({ user, anonymous }: Rule): Section {
  return typeof user === 'string' ? { of: 'user', user } : { of: anonymous ? 'anonymous' : 'pattern' }
}

function isSame(one: Section, other: Section): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

const accesses: Readonly<Record<string, string>> = {
  'allow publish': 'write',
  'allow receive subscribe': 'read',
  'allow subscribe': 'subscribe',
  'allow publish receive subscribe': 'readwrite',
  'deny publish receive subscribe': 'deny',
}

/** The line that says a rule. @throws NotEditable where none does. */
function lineFor(rule: Rule, file: string): Line {
  try {
    const section = sectionFor(rule)
    const text = `${section.of === 'pattern' ? 'pattern' : 'topic'} ${accessOf(rule)} ${filterIn(rule, section)}`
    const [read] = mosquittoAcl(section.of === 'user' ? `user ${section.user}\n${text}` : text, file)
    if (read && read.filter === rule.filter && isSame(sectionOf(read), section)) {
      const { where: _, ...asRead } = read
      return { section, text, rule: asRead }
    }
    throw new CannotSay('there are no rules for $share/, and no blanks around a name or a filter')
  } catch (error) {
    if (!(error instanceof CannotSay)) throw error
    throw new NotEditable(
      `${file} is mosquitto's acl_file, in which ${error.message}; edit it so, or write the rules in godwit's form into a .yaml file and name that in acl.file`,
    )
  }
}

/** An acl_file has no words for it. */
class CannotSay extends Error {}

function sectionFor({ user: users = [], client, anonymous, matching }: Rule): Section {
  if (client !== undefined || matching !== undefined) throw new CannotSay('no rule has client or matching')
  const [user, ...others] = [users].flat()
  if (others.length > 0) throw new CannotSay('a rule is for one user: add one for each')
  if (user === undefined) return { of: anonymous ? 'anonymous' : 'pattern' }
  if (anonymous) throw new CannotSay('a rule is for a user, or for those without a name')
  return { of: 'user', user: inOneLine(user) }
}

function accessOf({ allow, deny }: Rule): string {
  const actions = [allow ?? deny ?? []].flat().toSorted()
  const access = accesses[[allow ? 'allow' : 'deny', ...new Set(actions)].join(' ')]
  if (access !== undefined) return access
  throw new CannotSay('a rule allows publish, subscribe, subscribe and receive, or all three, or denies all three')
}

/** The filter as it is written, with the variables of patterns. */
function filterIn({ filter }: Rule, { of }: Section): string {
  if (of === 'pattern' && /%[cu]/.test(filter)) throw new CannotSay('%c and %u in a pattern stand for the client')
  const isPattern = of === 'pattern'
  const written = isPattern ? filter.replaceAll(`\${clientId}`, '%c').replaceAll(`\${username}`, '%u') : filter
  if (!written.includes('${')) return inOneLine(written)
  throw new CannotSay(`\${username} and \${clientId} stand in rules for everybody alone, and claims in none`)
}

function inOneLine(text: string): string {
  if (/[\r\n\0]/.test(text)) throw new Unacceptable('a rule has no line ends in it')
  return text
}
