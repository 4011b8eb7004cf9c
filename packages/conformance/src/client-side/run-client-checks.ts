import type { Check } from '../check.js'
import { CheckFailure, CheckSkipped } from '../failure.js'
import type { CheckResult } from '../run.js'
import type { ClientCheck } from './client-check.js'
import type { Launch, Launched } from './launch.js'
import { ClientTrial, Playhouse } from './play.js'
import { Stage } from './stage.js'

export interface ClientRunOptions {
  /** How many clients run at once. Default 8. */
  readonly jobs?: number
  /** Told of each result as it comes. */
  readonly onResult?: (result: CheckResult) => void
  /** Ends the run: no client is started any more, and checks not yet judged are left out. */
  readonly signal?: AbortSignal
}

/** Holds a client to the standard; the results are in the order of the checks. */
export async function runClientChecks(
  launch: Launch,
  checks: readonly ClientCheck[],
  { jobs = 8, onResult, signal }: ClientRunOptions = {},
): Promise<readonly CheckResult[]> {
  const turn = turns(jobs, signal)
  const running = new Set<Launched>()
  signal?.addEventListener('abort', () => running.forEach((client) => void client.stop()), { once: true })
  const stoppable: Launch = (task) => {
    const client = launch(task)
    running.add(client)
    void client.ended.then(() => running.delete(client))
    return client
  }
  const playhouses = {
    '3.1.1': new Playhouse('3.1.1', stoppable, turn),
    '5.0': new Playhouse('5.0', stoppable, turn),
  }
  const results = await Promise.all(
    checks.map(async (check) => {
      const result = await runClientCheck(check, new ClientTrial(playhouses[check.version]))
      if (signal?.aborted) return undefined
      onResult?.(result)
      return result
    }),
  )
  return results.filter((result) => result !== undefined)
}

/**
 * Starts the client once.
 * @returns Why it cannot be checked, in words; undefined when it connects.
 */
export async function clientProblem(launch: Launch, version: Check['version']): Promise<string | undefined> {
  const stage = new Stage(version)
  try {
    await stage.open(launch, 'connect')
    return (await stage.connection()) ? undefined : stage.absence
  } finally {
    await stage.close()
  }
}

async function runClientCheck(check: ClientCheck, trial: ClientTrial): Promise<CheckResult> {
  const begin = performance.now()
  const { id, version } = check
  const result = (outcome: CheckResult['outcome'], detail = ''): CheckResult => {
    const transcript = outcome === 'fail' ? trial.transcript : []
    return { id, version, outcome, ms: Math.round(performance.now() - begin), detail, transcript }
  }
  try {
    await check.judge(trial)
    return result('pass')
  } catch (error) {
    if (error instanceof CheckSkipped) return result('skip', error.message)
    return result('fail', error instanceof CheckFailure ? error.message : `could not be carried out: ${String(error)}`)
  }
}

/** Lets so much work run at once; the rest waits for its turn. */
function turns(jobs: number, signal: AbortSignal | undefined): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= jobs) await new Promise<void>((resolve) => waiting.push(resolve))
    running++
    try {
      if (signal?.aborted) throw new CheckSkipped('the run was stopped')
      return await work()
    } finally {
      running--
      waiting.shift()?.()
    }
  }
}
