import type { Check } from '../check.js'
import { statements311 } from '../statements-3.1.1.js'
import { statements50 } from '../statements-5.0.js'
import type { ClientTrial } from './play.js'

/** Judges what a client did; throws CheckFailure when it breaks the rule, CheckSkipped when it never came to it. */
type Judgement = (t: ClientTrial) => Promise<void>

/** One rule for clients, and how it is seen to be kept. */
export interface ClientCheck extends Pick<Check, 'id' | 'version' | 'section' | 'text'> {
  readonly judge: Judgement
}

/** Statements of both versions that one judgement proves, by their numbers: `3.1.0-1`. */
export interface Numbers {
  readonly v4?: string | readonly string[]
  readonly v5?: string | readonly string[]
}

/** The checks of these statements. */
export function clientChecks({ v4 = [], v5 = [] }: Numbers, judge: Judgement): readonly ClientCheck[] {
  return [
    ...[v4].flat().map((number) => clientCheck(number, '3.1.1', judge)),
    ...[v5].flat().map((number) => clientCheck(number, '5.0', judge)),
  ]
}

function clientCheck(number: string, version: Check['version'], judge: Judgement): ClientCheck {
  const id = `MQTT-${number}`
  const found = (version === '5.0' ? statements50 : statements311).find((row) => row.id === id)
  if (!found || found.who === 'server') throw new Error(`no statement ${id} for clients in MQTT ${version}`)
  return { id, version, section: found.section, text: found.text, judge }
}
