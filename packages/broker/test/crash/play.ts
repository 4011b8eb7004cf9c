import type { BrokerProcess } from './broker-process.js'
import type { Findings } from './findings.js'

/** What must be there after a restart. */
export interface Promises {
  /**
   * After a restart: who was promised what, and is it there?
   * @param patienceMs how long what is missing may take; where loss is certain it need not be waited for.
   */
  verify(broker: BrokerProcess, patienceMs?: number): Promise<void>
}

/** Who does what around one broker and its data folder, through any number of crashes. */
export interface Play extends Promises {
  /** The broker has a clock that stands still but for what the play lets pass; else the real one. */
  readonly isTimed: boolean
  readonly findings: Findings
  /** Messages acknowledged so far. */
  readonly acknowledged: number
  /** When acknowledgements came. */
  readonly answered: readonly bigint[]
  /** The first time: sessions and subscriptions are made. */
  begin(broker: BrokerProcess): Promise<void>
  /** From now on everybody is busy. */
  load(broker: BrokerProcess): Promise<void>
  /** The broker is dead: what was on its way still arrives. */
  lost(): Promise<void>
  /** What had been promised at a moment; what is not kept goes to the findings given. */
  at(moment: bigint, findings: Findings): Promises
}

/** What the broker's clock shows at first in a timed play. */
export const firstMoment: number = Date.UTC(2026, 0, 1)
/** How long the broker of a timed play is down, in seconds. */
export const downSeconds: readonly number[] = [3, 60, 600]
