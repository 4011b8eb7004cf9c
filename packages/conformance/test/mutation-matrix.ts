import { type Check, type CheckResult, runCheck } from '@godwit/conformance'
import type { Mutation } from './mutation.js'
import type { Suite } from './mutations.js'
import { Responder } from './responder/responder.js'

/** One mutation and what the checks of its version say. */
export interface MatrixRow {
  readonly version: Suite['version']
  readonly mutation: Mutation
  /** What its own check says; undefined where that never comes to the rule. */
  readonly own: CheckResult | undefined
  /** Other statements of its chapter whose checks fail too. */
  readonly near: readonly string[]
  /** Statements of other chapters whose checks fail too. */
  readonly far: readonly string[]
}

/** Every mutation of a version against every check of it that comes to the rule in question: no other can notice. */
export async function matrixOf({ version, checks, mutations }: Suite): Promise<readonly MatrixRow[]> {
  const asking = await checksByRule(checks)
  const rows: MatrixRow[] = []
  for (const mutation of mutations) {
    const [statement, fault] = mutation
    const results: CheckResult[] = []
    for (const check of asking.get(fault) ?? []) results.push(await runCheck(new Responder(fault), check))
    const failed = results.filter(({ outcome }) => outcome === 'fail').map(numberOf)
    const others = failed.filter((id) => id !== statement)
    const isNear = (id: string): boolean => chapterOf(id) === chapterOf(statement)
    rows.push({
      version,
      mutation,
      own: results.find((result) => numberOf(result) === statement),
      near: others.filter(isNear),
      far: others.filter((id) => !isNear(id)),
    })
  }
  return rows
}

/** For each rule of the responder the checks in which it matters whether that rule is kept. */
async function checksByRule(checks: readonly Check[]): Promise<ReadonlyMap<string, readonly Check[]>> {
  const byRule = new Map<string, Check[]>()
  for (const check of checks) {
    const responder = new Responder()
    await runCheck(responder, check)
    for (const rule of responder.asked) byRule.set(rule, [...(byRule.get(rule) ?? []), check])
  }
  return byRule
}

/** `3.1.2-4` of `MQTT-3.1.2-4`. */
function numberOf({ id }: Pick<Check, 'id'>): string {
  return id.slice('MQTT-'.length)
}

/** The matrix as text, a line a mutation, with nothing in it that differs from run to run. */
export function writeMatrix(rows: readonly MatrixRow[]): string {
  const head = ['version', 'statement', 'done instead', 'also in its chapter', 'in other chapters']
  const lines = rows.map(({ version, mutation: [statement, , instead], near, far }) =>
    [version, statement, instead, near.join(' '), far.join(' ')].join('\t'),
  )
  return `${[head.join('\t'), ...lines].join('\n')}\n`
}

/** A chapter is a packet, or a section beside them: `3.1` of `3.1.2-4`. */
function chapterOf(id: string): string {
  return id.split('.').slice(0, 2).join('.')
}
