import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerProcess, type Mutant, type Step } from './broker-process.js'
import { type Figures, type Findings, report } from './findings.js'
import { downSeconds, firstMoment, type Play } from './play.js'
import { Random } from './random.js'

export interface CrashPlan {
  readonly suite: string
  readonly mode: string
  readonly rounds: number
  play(random: Random): Play
  readonly mutant?: Mutant
  /** The rounds end with the first finding of this kind. Default: they are all played. */
  readonly until?: keyof Findings
  /** Ends the broker's process while it is under load, and resolves when it is gone. */
  crash(broker: BrokerProcess, random: Random): Promise<void>
}

/** The commit under load at which the broker dies, at the latest. */
const latestVisit = 30
/** What a mutant has lost need not be waited for. */
const mutantPatienceMs = 500

/** Load, crash, restart, look; again and again on one data folder. */
export async function playCrashes({ suite, mode, rounds, play, mutant, until, crash }: CrashPlan): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-crash-'))
  const random = new Random()
  const scene = play(random)
  const open = async (one: BrokerProcess, now: number): Promise<void> => {
    await one.open({ directory, ...(mutant && { mutant }), ...(scene.isTimed && { now }) })
  }
  let broker = new BrokerProcess()
  let next = broker
  let acknowledged = 0
  let played = 0
  try {
    await open(broker, firstMoment)
    await scene.begin(broker)
    for (let round = 0; round < rounds; round++) {
      const before = scene.acknowledged
      next = new BrokerProcess() // starts while the other is busy
      await scene.load(broker)
      await crash(broker, random)
      await scene.lost()
      acknowledged += scene.acknowledged - before
      await open(next, broker.now + random.pick(downSeconds) * 1000)
      broker = next
      await scene.verify(broker, mutant && mutantPatienceMs)
      played++
      if (until && until in scene.findings.all) break
    }
  } finally {
    await Promise.all([broker.kill(), next.kill()])
    rmSync(directory, { recursive: true })
  }
  const figures = { suite, mode, rounds: played, acknowledged, findings: scene.findings }
  report(figures)
  return figures
}

/** Sends the broker to its death at one of the next visits of a step. */
export function dieAt(step: Step): CrashPlan['crash'] {
  return async (broker, random) => {
    broker.dieAt({ step, visit: random.between(1, latestVisit) })
    await broker.gone
  }
}
