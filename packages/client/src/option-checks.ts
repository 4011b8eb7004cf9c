import { nearest } from '@godwit/protocol'
import { invalidOption } from './errors.js'
import { bytesOf } from './payload.js'
import { isObject, kindOf } from './value-kind.js'

/** Says what is wrong with the value of that name, in words; undefined: nothing. */
export type Check = (value: unknown, name: string) => string | undefined

/** The options of one object: what each takes, and where names of other libraries are found here. */
export interface OptionTable {
  readonly checks: ReadonlyMap<string, Check>
  /** By the other name, the rest of the sentence: "it is called version here". */
  readonly elsewhere: ReadonlyMap<string, string>
}

/** One row an option; a name of the type that has no row, or a row without such a name, does not compile. */
export function optionTable<O>(
  checks: { readonly [K in keyof Required<O>]: Check },
  elsewhere: Readonly<Record<string, string>> = {},
): OptionTable {
  return { checks: new Map(Object.entries(checks)), elsewhere: new Map(Object.entries(elsewhere)) }
}

/**
 * Looks at options as they come from plain JavaScript. Undefined is an option left out.
 * @throws InvalidArgumentError for a name that does not exist, and for a value of the wrong type.
 */
export function checkOptions(call: string, options: unknown, table: OptionTable, what = 'the options are'): void {
  const flaw = isObject(options) ? flawOfOptions(options, '', table) : `${what} ${kindOf(options)}, not an object`
  if (flaw !== undefined) throw invalidOption(`${call}: ${flaw}`)
}

function flawOfOptions(options: object, prefix: string, { checks, elsewhere }: OptionTable): string | undefined {
  for (const [name, value] of Object.entries(options)) {
    const check = checks.get(name)
    if (check === undefined) return noSuch('option', name, prefix, [...checks.keys()], elsewhere)
    const flaw = value === undefined ? undefined : check(value, prefix + name)
    if (flaw !== undefined) return flaw
  }
  return undefined
}

/** "There is no option 'keepalive'": and what was meant, as far as one can tell. */
export function noSuch(
  what: string,
  name: string,
  prefix: string,
  names: readonly string[],
  elsewhere: ReadonlyMap<string, string>,
): string {
  const start = `there is no ${what} '${prefix}${name}'`
  const place = elsewhere.get(name)
  if (place !== undefined) return `${start}: ${place}`
  const meant = nearest(name, names)
  return meant === undefined ? start : `${start}; did you mean '${prefix}${meant}'?`
}

/** The other name stands for this one. */
export function called(name: string): string {
  return `it is called ${name} here`
}

/** A check with a test, and what should be there in words. */
export function is(test: (value: unknown) => boolean, words: string): Check {
  return (value, name) => (test(value) ? undefined : `${name} is ${kindOf(value)}, not ${words}`)
}

export const aString: Check = is((value) => typeof value === 'string', 'a string')
export const aNumber: Check = is((value) => typeof value === 'number', 'a number')
export const aBoolean: Check = is((value) => typeof value === 'boolean', 'true or false')
export const aFunction: Check = is((value) => typeof value === 'function', 'a function')
export const anObject: Check = is(isObject, 'an object')
export const stringOrBytes: Check = is((value) => bytesOf(value) !== undefined, 'a string or bytes')
export const aSignal: Check = is(
  (value) => typeof (value as AbortSignal | null)?.addEventListener === 'function',
  'an AbortSignal',
)
/** User Properties: a name may stand there twice, and their order counts. */
export const pairs: Check = is(
  (value) => Array.isArray(value) && value.every(isPair),
  "a list of pairs: [['name', 'value']]",
)

/** Milliseconds; Infinity and 0 are fine. */
export const duration: Check = (value, name) =>
  aNumber(value, name) ?? (Number(value) >= 0 ? undefined : `${name} is ${value}: it must be at least 0`)

export function oneOf(...choices: readonly (string | number)[]): Check {
  const words = choices.map((choice) => (typeof choice === 'string' ? `'${choice}'` : choice))
  const list = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return (value, name) =>
    choices.some((choice) => choice === value) ? undefined : `${name} is ${shown(value)}: it must be ${list}`
}

/** The value itself, or an object of the table. */
export function exactlyOr(exact: boolean, table: OptionTable): Check {
  return (value, name) =>
    value === exact
      ? undefined
      : isObject(value)
        ? flawOfOptions(value, `${name}.`, table)
        : `${name} is ${kindOf(value)}, not ${exact} or an object`
}

export function objectOf(table: OptionTable): Check {
  return (value, name) => anObject(value, name) ?? flawOfOptions(value as object, `${name}.`, table)
}

export const recordOfStrings: Check = (value, name) =>
  anObject(value, name) ??
  Object.entries(value as object)
    .map(([key, each]) => aString(each, `${name}.${key}`))
    .find((flaw) => flaw !== undefined)

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === 'string')
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  return typeof value === 'number' ? String(value) : kindOf(value)
}
