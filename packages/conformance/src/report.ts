import type { Check } from './check.js'
import type { CheckResult, Outcome } from './run.js'
import { statements311 } from './statements-3.1.1.js'
import { statements50 } from './statements-5.0.js'

export type Totals = Readonly<Record<Outcome, number>>

export function totalsOf(results: readonly CheckResult[]): Totals {
  const count = (outcome: Outcome): number => results.filter((result) => result.outcome === outcome).length
  return { pass: count('pass'), fail: count('fail'), skip: count('skip') }
}

/** The results of one chapter of the standard, in one version. */
export interface Chapter {
  readonly version: Check['version']
  /** `3.1`: sections below are in it. */
  readonly number: string
  readonly title: string
  readonly results: readonly CheckResult[]
  readonly totals: Totals
}

const titles: Readonly<Record<string, string>> = {
  '1.5': 'data representation',
  '2.1': 'fixed header',
  '2.2': 'fixed header, packet identifier',
  '2.3': 'packet identifier',
  '3.1': 'CONNECT',
  '3.2': 'CONNACK',
  '3.3': 'PUBLISH',
  '3.4': 'PUBACK',
  '3.5': 'PUBREC',
  '3.6': 'PUBREL',
  '3.7': 'PUBCOMP',
  '3.8': 'SUBSCRIBE',
  '3.9': 'SUBACK',
  '3.10': 'UNSUBSCRIBE',
  '3.11': 'UNSUBACK',
  '3.12': 'PINGREQ',
  '3.13': 'PINGRESP',
  '3.14': 'DISCONNECT',
  '3.15': 'AUTH',
  '4.1': 'session state',
  '4.2': 'network connections',
  '4.3': 'quality of service',
  '4.4': 'delivery retry',
  '4.5': 'message receipt',
  '4.6': 'ordering',
  '4.7': 'topic names and filters',
  '4.8': 'shared subscriptions; errors in 3.1.1',
  '4.9': 'flow control',
  '4.12': 'enhanced authentication',
  '4.13': 'errors',
  '6.0': 'WebSocket',
  '7.0': 'conformance',
  '7.1': 'conformance',
}

/** The chapter of a statement: the first two numbers of its id. Hostile inputs are a chapter of their own. */
function chapterOf(id: string): string {
  return /^MQTT-(\d+\.\d+)/.exec(id)?.[1] ?? 'hostile'
}

/** The results by version and chapter, in the order of the standard. */
export function chapters(results: readonly CheckResult[]): readonly Chapter[] {
  const groups = new Map<string, CheckResult[]>()
  for (const result of results) {
    const key = `${result.version} ${chapterOf(result.id)}`
    groups.set(key, [...(groups.get(key) ?? []), result])
  }
  const all = [...groups].map(([key, own]) => {
    const [version, number] = key.split(' ') as [Check['version'], string]
    const title = number === 'hostile' ? 'hostile inputs' : (titles[number] ?? '')
    return { version, number, title, results: own, totals: totalsOf(own) }
  })
  return all.sort((a, b) => order(a) - order(b))
}

function order({ version, number }: Pick<Chapter, 'version' | 'number'>): number {
  const [major = 99, minor = 0] = number === 'hostile' ? [] : number.split('.').map(Number)
  return (version === '5.0' ? 1e6 : 0) + major * 1000 + minor
}

/** The table a person reads: a line a chapter. */
export function tableReport(results: readonly CheckResult[]): string {
  const rows = chapters(results).map(({ version, number, title, totals }) => [
    `${version.padEnd(5)}  ${number.padEnd(7)} ${title}`,
    ...(['pass', 'fail', 'skip'] as const).map((outcome) => String(totals[outcome])),
  ])
  const { pass, fail, skip } = totalsOf(results)
  const all = [['MQTT   chapter', 'pass', 'fail', 'skip'], ...rows, ['all', ...[pass, fail, skip].map(String)]]
  const width = Math.max(...all.map(([name = '']) => name.length))
  return all
    .map(([name = '', ...counts]) => `${name.padEnd(width)}${counts.map((n) => n.padStart(6)).join('')}\n`)
    .join('')
}

/** What `godwit conform --json` prints. */
export interface JsonReport {
  readonly target: string
  readonly statements: readonly {
    readonly id: string
    readonly version: Check['version']
    readonly outcome: Outcome
    readonly ms: number
    readonly detail: string
  }[]
  readonly totals: Totals
}

export function jsonReport(target: string, results: readonly CheckResult[]): JsonReport {
  return {
    target,
    statements: results.map(({ id, version, outcome, ms, detail }) => ({ id, version, outcome, ms, detail })),
    totals: totalsOf(results),
  }
}

/** The form that CI systems read; a suite a chapter. */
export function junitReport(target: string, results: readonly CheckResult[]): string {
  const suites = chapters(results).map(({ version, number, title, results: own, totals }) => {
    const name = escaped(`MQTT ${version} ${number} ${title}`)
    const cases = own.map(({ id, outcome, ms, detail, transcript }) => {
      const open = `    <testcase classname="${name}" name="${escaped(id)}" time="${ms / 1000}"`
      if (outcome === 'pass') return `${open}/>`
      const inner =
        outcome === 'skip'
          ? `<skipped message="${escaped(detail)}"/>`
          : `<failure message="${escaped(detail)}">${escaped(transcript.join('\n'))}</failure>`
      return `${open}>${inner}</testcase>`
    })
    const counts = `tests="${own.length}" failures="${totals.fail}" skipped="${totals.skip}"`
    return `  <testsuite name="${name}" ${counts}>\n${cases.join('\n')}\n  </testsuite>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${escaped(target)}">\n${suites.join('\n')}\n</testsuites>\n`
}

/** A page: the table, and each failure and skip with its rule. */
export function markdownReport(target: string, results: readonly CheckResult[]): string {
  const { pass, fail, skip } = totalsOf(results)
  const rows = chapters(results).map(
    ({ version, number, title, totals }) =>
      `| ${version} | ${number} ${title} | ${totals.pass} | ${totals.fail} | ${totals.skip} |`,
  )
  const list = (outcome: Outcome): string =>
    results
      .filter((result) => result.outcome === outcome)
      .map(({ id, version, detail }) => `- **${id}** (${version}) ${ruleOf(id, version)}\n  ${oneLine(detail)}`)
      .join('\n')
  return `# ${target}

${pass} pass, ${fail} fail, ${skip} skipped.

| MQTT | chapter | pass | fail | skip |
|---|---|---|---|---|
${rows.join('\n')}

## Failures

${list('fail') || 'None.'}

## Skipped

${list('skip') || 'None.'}
`
}

function ruleOf(id: string, version: Check['version']): string {
  const statements = version === '5.0' ? statements50 : statements311
  return statements.find((statement) => statement.id === id)?.text ?? ''
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|')
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/[^\P{Cc}\n\t]/gu, '?')
}
