import { statements311 } from './statements-3.1.1.js'
import { statements50 } from './statements-5.0.js'
import type { Trial } from './trial.js'

/** Plays one dialogue with the server; throws CheckFailure when the server breaks the rule. */
export type Dialogue = (t: Trial) => Promise<void>

export interface Case {
  readonly name: string
  readonly run: Dialogue
}

/** One rule, and the dialogues that prove it. */
export interface Check {
  /** The statement's name, such as `MQTT-3.1.2-4`. */
  readonly id: string
  readonly version: '3.1.1' | '5.0'
  readonly section: string
  /** The rule in one line. */
  readonly text: string
  readonly cases: readonly Case[]
  /** Why it cannot be run at all. */
  readonly skip?: string
}

type Dialogues = Dialogue | Readonly<Record<string, Dialogue>>

/** The check of a statement: one dialogue, or several by name. */
export function check(id: string, dialogues: Dialogues, version: Check['version'] = '3.1.1'): Check {
  const byName = typeof dialogues === 'function' ? { '': dialogues } : dialogues
  return { ...statement(id, version), cases: Object.entries(byName).map(([name, run]) => ({ name, run })) }
}

/** The check of a statement of 5.0. */
export function check50(id: string, dialogues: Dialogues): Check {
  return check(id, dialogues, '5.0')
}

/** A statement whose check cannot be run. */
export function skipped(id: string, reason: string, version: Check['version'] = '3.1.1'): Check {
  return { ...statement(id, version), cases: [], skip: reason }
}

function statement(id: string, version: Check['version']): Pick<Check, 'id' | 'version' | 'section' | 'text'> {
  const found = (version === '5.0' ? statements50 : statements311).find((row) => row.id === id)
  if (!found) throw new Error(`no statement ${id} in MQTT ${version}`)
  return { id, version, section: found.section, text: found.text }
}
