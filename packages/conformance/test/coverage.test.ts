import {
  allChecks,
  allChecks50,
  type Check,
  hostileChecks,
  hostileChecks50,
  type Statement,
  statements50,
  statements311,
} from '@godwit/conformance'
import { describe, expect, it } from 'vitest'
import { hostileInputs50, hostileInputs311 } from './hostile-inputs.js'

/** Statements about clients whose breach the standard tells servers how to meet. */
const clientStatements311 = [
  ...['3.1.0-1', '3.1.2-9', '3.1.2-11', '3.1.2-13', '3.1.2-14', '3.1.2-15', '3.1.2-18', '3.1.2-19', '3.1.2-20'],
  ...['3.1.2-21', '3.1.2-22', '3.1.3-1', '3.1.3-3', '3.1.3-4', '3.1.3-7', '3.1.3-10', '3.1.3-11', '3.8.1-1', '3.8.3-1'],
  ...['3.8.3-3', '3.10.1-1', '3.10.3-1', '3.10.3-2', '4.7.1-2', '4.7.1-3'],
].map((number) => `MQTT-${number}`)

interface Coverage {
  readonly version: Check['version']
  readonly statements: readonly Statement[]
  /** How many statements the standard has, and how many of these a server can be seen to keep. */
  readonly counts: readonly [all: number, ofServers: number]
  readonly more: readonly string[]
  readonly checks: readonly Check[]
  readonly hostile: readonly Check[]
  readonly hostileInputs: readonly string[]
}

const versions: readonly Coverage[] = [
  {
    version: '3.1.1',
    statements: statements311,
    counts: [141, 104],
    more: clientStatements311,
    checks: allChecks,
    hostile: hostileChecks,
    hostileInputs: hostileInputs311,
  },
  {
    version: '5.0',
    statements: statements50,
    counts: [251, 203],
    more: [],
    checks: allChecks50,
    hostile: hostileChecks50,
    hostileInputs: hostileInputs50,
  },
]

const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id).sort()

describe.each(versions)('coverage of MQTT $version', ({ statements, counts, more, checks, hostile, hostileInputs }) => {
  it('has all statements, each once', () => {
    expect(new Set(idsOf(statements)).size).toBe(counts[0])
    expect(statements).toHaveLength(counts[0])
  })

  it('checks each statement a server can be seen to keep', () => {
    const ofServers = statements.filter(({ who, testable }) => who !== 'client' && testable)
    expect(ofServers).toHaveLength(counts[1])
    expect(idsOf(checks)).toEqual([...idsOf(ofServers), ...more].sort())
  })

  it('plays every hostile input', () => {
    expect(idsOf(hostile)).toEqual(hostileInputs.map((name) => `hostile/${name}`).sort())
  })

  it('gives every check a dialogue, but those that need another kind of target or a user', () => {
    for (const { id, cases, skip } of [...checks, ...hostile]) expect(cases.length > 0, id).toBe(skip === undefined)
    const reasons = new Set([...checks, ...hostile].flatMap(({ skip }) => skip ?? []))
    expect(
      [...reasons].filter((reason) => !/^needs (a WebSocket target|credentials of a user of )/.test(reason)),
    ).toEqual([])
  })
})
