import { type CheckResult, runCheck } from '@godwit/conformance'
import type { Mutation } from './mutation.js'
import type { Suite } from './mutations.js'
import { Responder } from './responder/responder.js'

/** One mutation and what the checks of its version say. */
export interface MatrixRow {
  readonly version: Suite['version']
  readonly mutation: Mutation
  /** What its own check says. */
  readonly own: CheckResult
  /** Other statements whose checks fail too. */
  readonly others: readonly string[]
}

/** Every mutation of a version against every check of it; a statement that has no check yet has no row. */
export async function matrixOf({ version, checks, mutations }: Suite): Promise<readonly MatrixRow[]> {
  const rows: MatrixRow[] = []
  for (const mutation of mutations) {
    const [statement, fault] = mutation
    let own: CheckResult | undefined
    const others: string[] = []
    for (const check of checks) {
      const result = await runCheck(new Responder(fault), check)
      const id = check.id.slice('MQTT-'.length)
      if (id === statement) own = result
      else if (result.outcome === 'fail') others.push(id)
    }
    if (own) rows.push({ version, mutation, own, others })
  }
  return rows
}

/** The matrix as text, a line a mutation, with nothing in it that differs from run to run. */
export function writeMatrix(rows: readonly MatrixRow[]): string {
  const head = ['version', 'statement', 'done instead', 'also in its chapter', 'in other chapters', 'its check says']
  const lines = rows.map(({ version, mutation: [statement, , instead], own, others }) => {
    const near = others.filter((id) => chapterOf(id) === chapterOf(statement))
    const far = others.filter((id) => !near.includes(id))
    return [version, statement, instead, near.join(' '), far.join(' '), firstWords(own.detail)].join('\t')
  })
  return `${[head.join('\t'), ...lines].join('\n')}\n`
}

/** A chapter is a packet, or a section beside them: `3.1` of `3.1.2-4`. */
function chapterOf(id: string): string {
  return id.split('.').slice(0, 2).join('.')
}

/** The first failure without what differs: hex, and the random part of names; and without all properties. */
function firstWords(detail: string): string {
  const [line = ''] = detail.split('\n')
  return line
    .replaceAll(/ \[[0-9a-f]{2}( [0-9a-f]{2})+[^\]]*\]/g, '')
    .replaceAll(/, properties \{.*$/g, '')
    .replaceAll(/: [0-9a-f]{2}( [0-9a-f]{2}){8}.*$/g, '')
    .replaceAll(/\$?godwit\/[0-9a-z]{8}\//g, '…/')
    .replaceAll(/[\t\r\ufeff]/g, ' ')
}
