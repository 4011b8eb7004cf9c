import type { Case, Check } from './check.js'
import { CheckFailure, CheckSkipped } from './failure.js'
import type { Target } from './target.js'
import { type Credentials, type Offer, Trial } from './trial.js'

export type Outcome = 'pass' | 'fail' | 'skip'

export interface CheckResult {
  readonly id: string
  readonly version: Check['version']
  readonly outcome: Outcome
  readonly ms: number
  /** What was expected and what came, or why it was skipped; empty after a pass. */
  readonly detail: string
  /** What was said in the cases that failed, line by line. */
  readonly transcript: readonly string[]
}

export interface RunOptions {
  /** Run only the checks with these ids, or of these sections (`3.1` stands for all below it). Default: all. */
  readonly only?: readonly string[]
  /**
   * How many checks run at once. With more than 1 the cases of a check run together too. Default 1, which is needed
   * where the target's time is virtual.
   */
  readonly jobs?: number
  /** The part of its full size that a flood of the hostile checks has. Default 0.001; 1 is the full size. */
  readonly scale?: number
  /** What the peers say in CONNECT where a check does not say otherwise. Default: nothing, so the server lets anyone in. */
  readonly credentials?: Credentials
  /** What the server offers, from `serverOffer`: checks of 3.1.1 that need more are skipped. Default: everything. */
  readonly offer?: Offer | undefined
  /** Ends the run: checks that have not begun are left out. */
  readonly signal?: AbortSignal
  /** Told of each result as it comes. */
  readonly onResult?: (result: CheckResult) => void
}

/** Runs checks against a server; the results are in the order of the checks. */
export async function runChecks(
  target: Target,
  checks: readonly Check[],
  options: RunOptions = {},
): Promise<readonly CheckResult[]> {
  const chosen = options.only ? checks.filter((check) => isChosen(check, options.only ?? [])) : checks
  const results: CheckResult[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let at = next++; at < chosen.length && !options.signal?.aborted; at = next++) {
      const result = await runCheck(target, chosen[at]!, options)
      results[at] = result
      options.onResult?.(result)
    }
  }
  await Promise.all(Array.from({ length: options.jobs ?? 1 }, work))
  return results.filter(Boolean)
}

/** Runs one check against a server. */
export async function runCheck(
  target: Target,
  check: Check,
  options: Pick<RunOptions, 'scale' | 'jobs' | 'credentials' | 'offer'> = {},
): Promise<CheckResult> {
  const { id, version } = check
  if (check.skip !== undefined) return { id, version, outcome: 'skip', ms: 0, detail: check.skip, transcript: [] }
  const begin = performance.now()
  const { scale = 0.001, jobs = 1, credentials, offer } = options
  const begun = (): Trial => new Trial(target, { scale, version: version === '5.0' ? 5 : 4, credentials, offer })
  const results: CaseResult[] = []
  const together = jobs > 1 ? check.cases.length : 1
  for (let i = 0; i < check.cases.length; i += together) {
    const group = check.cases.slice(i, i + together)
    results.push(...(await Promise.all(group.map((one) => runCase(one, begun)))))
  }
  const failed = results.filter(({ outcome }) => outcome === 'fail')
  const passed = results.some(({ outcome }) => outcome === 'pass')
  const outcome = failed.length > 0 ? 'fail' : passed ? 'pass' : 'skip'
  return {
    id,
    version,
    outcome,
    ms: Math.round(performance.now() - begin),
    detail: results
      .flatMap((result) => (result.outcome === outcome && result.detail ? [result.detail] : []))
      .join('\n'),
    transcript: failed.flatMap(({ transcript }) => transcript),
  }
}

type CaseResult = Pick<CheckResult, 'outcome' | 'detail' | 'transcript'>

async function runCase({ name, run }: Case, begin: () => Trial): Promise<CaseResult> {
  const trial = begin()
  const before = name ? `${name}: ` : ''
  try {
    await run(trial)
    return { outcome: 'pass', detail: '', transcript: [] }
  } catch (error) {
    if (error instanceof CheckSkipped) return { outcome: 'skip', detail: before + error.message, transcript: [] }
    // Anything else than a failure (the server refuses connections, a fault in the check) must not look like a pass.
    const message = error instanceof CheckFailure ? error.message : `could not be carried out: ${String(error)}`
    return { outcome: 'fail', detail: before + message, transcript: [...trial.transcript] }
  } finally {
    await trial.finish().catch(() => {}) // a server that fails here has failed, or will fail, a check
  }
}

function isChosen({ id, section }: Check, only: readonly string[]): boolean {
  return only.some((one) => id === one || section === one || section.startsWith(`${one}.`))
}
