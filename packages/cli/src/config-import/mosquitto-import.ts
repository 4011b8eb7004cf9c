import { readFileSync } from 'node:fs'
import { CommandError } from '../command-error.js'
import { defaultLayer, type Layer } from '../config/layers.js'
import { commented } from '../config/print.js'
import { resolve } from '../config/resolve.js'
import { configSchema, defaults } from '../config/schema.js'
import { systemProblem } from '../system-problem.js'
import { Draft, type Note } from './draft.js'
import { isDynamicSecurity, readDynamicSecurity } from './dynamic-security.js'
import { writeDynamicSecurity } from './mosquitto-access.js'
import { mosquittoText } from './mosquitto-lines.js'
import { Reading } from './mosquitto-reading.js'
import { Translation } from './mosquitto-translation.js'

/** A mosquitto configuration in our form. */
export interface Imported {
  readonly yaml: string
  /** What mosquitto does not start with, in the order of the lines; where there is any, the rest is worth nothing. */
  readonly refused: readonly Note[]
  /** What it says and this cannot, in the order of the lines. */
  readonly untranslated: readonly Note[]
  /** What versions of mosquitto read differently, and what else is worth a second look. */
  readonly remarks: readonly Note[]
  /** Users and hashes out of a dynamic-security.json, which `auth.passwordFile` of the result is to hold. */
  readonly passwords: string | undefined
  /** The password of each bridge, by the file that its `passwordFrom` names. */
  readonly secrets: ReadonlyMap<string, string>
}

export interface ImportOptions {
  /** The password file that is named where users come out of dynamic-security.json. Default `godwit.passwords`. */
  readonly passwords?: string
}

/**
 * Translates a mosquitto.conf of 1.6 to 2.1, with the files it includes, as 2.0 reads it; or dynamic-security.json
 * alone. Every option is known: it is translated, refused, needs nothing, or is told with what to do instead.
 * @throws CommandError for a file that cannot be read.
 */
export function importMosquitto(file: string, { passwords = 'godwit.passwords' }: ImportOptions = {}): Imported {
  const draft = new Draft()
  const order = new Map<string, number>()
  if (isDynamicSecurity(textOf(file))) writeDynamicSecurity(draft, [], file, readDynamicSecurity(file), passwords)
  else {
    const { lines, places, missing, refused } = mosquittoText(file)
    for (const [at, where] of places.entries()) order.set(where, at)
    for (const { line, why } of refused) draft.refuse(line, why)
    for (const { line, why } of missing) draft.cannot(line, why)
    const reading = new Reading(draft)
    for (const line of lines) reading.take(line)
    new Translation(draft, reading, passwords).write()
  }
  checkItself(draft)
  const rankOf = ({ where }: Note): number => order.get(where) ?? (where === '' ? order.size + 1 : order.size)
  const sorted = (notes: readonly Note[]): readonly Note[] =>
    notes.toSorted((one, other) => rankOf(one) - rankOf(other))
  const result = {
    refused: sorted(draft.refused),
    untranslated: sorted(draft.untranslated),
    remarks: sorted(draft.remarks),
  }
  const yaml = yamlOf(draft, file, order.size > 0, { ...result, needless: sorted(draft.needless) })
  return { ...result, yaml, passwords: draft.passwords, secrets: draft.secrets }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read ${file}: ${systemProblem(error)}`)
  }
}

/** What the result would be refused for is told, unless the line it comes from has been told of. */
function checkItself(draft: Draft): void {
  const own: Layer = { values: draft.values, where: (path) => draft.originOf(path) ?? 'the result' }
  try {
    resolve([defaultLayer(defaults), own])
  } catch (error) {
    const { message } = error as Error
    const told = [...draft.refused, ...draft.untranslated]
    if (!told.some(({ where }) => where !== '' && message.startsWith(`${where} `))) draft.cannot(undefined, message)
  }
}

function yamlOf(
  draft: Draft,
  file: string,
  isConf: boolean,
  notes: Record<'refused' | 'untranslated' | 'remarks' | 'needless', readonly Note[]>,
): string {
  const order = Object.keys(configSchema.shape)
  const entries = Object.entries(draft.values).sort(([one], [other]) => order.indexOf(one) - order.indexOf(other))
  const body = commented(Object.fromEntries(entries), (path) => draft.originOf(path))
  const as = isConf ? ', read as mosquitto 2.0 reads it' : ''
  const head = `# Made by \`godwit config import ${file}\`${as}. Behind each value: the line it comes from.\n`
  return [
    head,
    body,
    told('Not translated', notes.untranslated),
    told('Worth a second look', notes.remarks),
    told('Needs no setting', notes.needless),
  ].join('')
}

function told(title: string, notes: readonly Note[]): string {
  if (notes.length === 0) return ''
  return `\n# ${title}:\n${notes.map((note) => `#   ${noteInWords(note)}\n`).join('')}`
}

/** One line. */
export function noteInWords({ where, said, why }: Note): string {
  return where === '' ? why : `${where}: ${said}: ${why}`
}
