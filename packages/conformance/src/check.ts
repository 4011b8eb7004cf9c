import { statements311 } from './statements-3.1.1.js'
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
  readonly version: '3.1.1'
  readonly section: string
  /** The rule in one line. */
  readonly text: string
  readonly cases: readonly Case[]
  /** Why it cannot be run at all. */
  readonly skip?: string
}

/** The check of a statement of 3.1.1: one dialogue, or several by name. */
export function check(id: string, dialogues: Dialogue | Readonly<Record<string, Dialogue>>): Check {
  const byName = typeof dialogues === 'function' ? { '': dialogues } : dialogues
  return { ...statement(id), version: '3.1.1', cases: Object.entries(byName).map(([name, run]) => ({ name, run })) }
}

/** A statement whose check cannot be run. */
export function skipped(id: string, reason: string): Check {
  return { ...statement(id), version: '3.1.1', cases: [], skip: reason }
}

function statement(id: string): Pick<Check, 'id' | 'section' | 'text'> {
  const found = statements311.find((row) => row.id === id)
  if (!found) throw new Error(`no statement ${id} in MQTT 3.1.1`)
  return { id, section: found.section, text: found.text }
}
