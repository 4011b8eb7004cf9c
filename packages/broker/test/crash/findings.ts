import { appendFileSync } from 'node:fs'
import { seed } from './random.js'

/** What was found wrong, by kind; each entry names what it is about. All empty: the promise was kept. */
export class Findings {
  /** Messages that were acknowledged, before the crash or after it, and not delivered to a subscriber. */
  readonly lost = new Found()
  /** QoS 2 messages that were delivered more than once. */
  readonly duplicates = new Found()
  /** Messages that came for the first time after a later one of their publisher. */
  readonly outOfOrder = new Found()
  /** Messages whose handshake does not end. */
  readonly unfinished = new Found()
  /** Sessions that were promised by CONNACK and are not there. */
  readonly sessionsGone = new Found()
  /** Sessions that were cleared and are there again. */
  readonly sessionsRisen = new Found()
  /** Filters whose subscription is not as SUBACK or UNSUBACK said. */
  readonly subscriptions = new Found()
  /** Topics whose retained message is older than the newest acknowledged one. */
  readonly retained = new Found()
  /** Sessions that are still there though their time is over. */
  readonly sessionsOverdue = new Found()
  /** Messages and wills that came with other properties, or on other terms, than they were given. */
  readonly changed = new Found()
  /** Messages that were delivered though their time was over, or that say the wrong time left. */
  readonly expiry = new Found()
  /** Wills that were not published, not in time, more than once, or though discarded. */
  readonly wills = new Found()
  /** Acknowledgements that left before the sync of what they promise had returned. */
  readonly early = new Found()
  /** Data folders that could not be opened. */
  readonly unopened = new Found()

  /** What there is, by kind. */
  get all(): Readonly<Record<string, readonly string[]>> {
    const found = Object.entries(this).map(([kind, entries]) => [kind, [...entries]] as const)
    return Object.fromEntries(found.filter(([, entries]) => entries.length > 0))
  }
}

/** Each thing counts once, however often it is seen. */
class Found extends Set<string> {
  push(what: string): void {
    this.add(what)
  }
}

/** What one mode of a suite did and found. */
export interface Figures {
  readonly suite: string
  readonly mode: string
  readonly rounds: number
  /** Messages acknowledged to publishers before the crashes. */
  readonly acknowledged: number
  readonly findings: Findings
}

/** Prints a mode's figures as one line, and adds them to the file that the proof run asks for. */
export function report({ suite, mode, rounds, acknowledged, findings }: Figures): void {
  const counts = Object.fromEntries(Object.entries(findings).map(([kind, entries]) => [kind, entries.size]))
  const { lost, duplicates, ...rest } = counts as Record<keyof Findings, number>
  const others = Object.values(rest).reduce((sum, count) => sum + count, 0)
  const figures = `rounds ${rounds}, acknowledged ${acknowledged}, lost ${lost}, duplicates ${duplicates}, other ${others}`
  process.stdout.write(`${suite}, ${mode}: ${figures} (seed ${seed})\n`)
  const file = process.env.GODWIT_TEST_FIGURES
  if (file)
    appendFileSync(file, `${JSON.stringify({ suite, mode, rounds, acknowledged, lost, duplicates, others, seed })}\n`)
}
