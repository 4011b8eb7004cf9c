import { hostileChecks, hostileChecks50, runCheck, statements50, statements311 } from '@godwit/conformance'
import { beforeAll, describe, expect, it } from 'vitest'
import { type MatrixRow, matrixOf, writeMatrix } from './mutation-matrix.js'
import { suites } from './mutations.js'
import { hostileFaults } from './mutations-hostile.js'
import { Responder } from './responder/responder.js'

const rows: MatrixRow[] = []

describe('each check finds the fault it is there for', () => {
  beforeAll(async () => {
    for (const suite of suites) rows.push(...(await matrixOf(suite)))
  }, 180_000)

  it.each(suites)('$version: every check that can be run has a mutation', ({ checks, mutations }) => {
    const named = new Set(mutations.map(([statement]) => `MQTT-${statement}`))
    const runnable = checks.filter(({ skip }) => skip === undefined)
    expect(runnable.map(({ id }) => id).filter((id) => !named.has(id))).toEqual([])
  })

  it.each(suites)('$version: every mutation is of a statement', ({ version, mutations }) => {
    const ids = new Set((version === '5.0' ? statements50 : statements311).map(({ id }) => id))
    expect(mutations.map(([statement]) => `MQTT-${statement}`).filter((id) => !ids.has(id))).toEqual([])
  })

  it.each(suites)('$version: every mutation is found', ({ version }) => {
    const missed = rows.filter((row) => row.version === version && row.own?.outcome !== 'fail')
    expect(missed.map(({ mutation, own }) => `${mutation.join(' ')}: ${own?.outcome ?? 'not asked'}`)).toEqual([])
  })

  it.each([...hostileChecks, ...hostileChecks50])('$id is not borne by a server with a fault', async (check) => {
    const fault = hostileFaults[check.id.slice('hostile/'.length)] ?? 'takes-everything'
    const { outcome, detail } = await runCheck(new Responder(fault), check)
    expect(outcome, detail).toBe(check.skip === undefined ? 'fail' : 'skip')
  })

  it('says in words what is wrong', () => {
    const inWords = /^([^\n]*: )?expected .+; /
    const details = rows.map(({ mutation, own }) => ({ mutation, detail: own?.detail ?? '' }))
    const others = details.filter(({ detail }) => !inWords.test(detail) || detail.includes('carried out'))
    expect(others.map(({ mutation, detail }) => `${mutation.join(' ')}: ${detail}`)).toEqual([])
  })

  it.each(suites)('$version: no check of another chapter fails, but one of the same rule', ({ version, sameRule }) => {
    const pairs = new Set(sameRule.flatMap(([one, other]) => [`${one} ${other}`, `${other} ${one}`]))
    const undeclared = rows
      .filter((row) => row.version === version)
      .map(({ mutation: [id, , instead], far }) => [
        id,
        instead,
        ...far.filter((other) => !pairs.has(`${id} ${other}`)),
      ])
    expect(undeclared.filter(({ length }) => length > 2)).toEqual([])
  })

  it.each(suites)('$version: what is said to be the same rule is', ({ version, sameRule }) => {
    const seen = new Set(
      rows
        .filter((row) => row.version === version)
        .flatMap(({ mutation: [id], far }) => far.flatMap((other) => [`${id} ${other}`, `${other} ${id}`])),
    )
    expect(sameRule.filter(([one, other]) => !seen.has(`${one} ${other}`))).toEqual([])
  })

  // Read as a diff: `npx vitest run packages/conformance/test/mutations.test.ts -u`.
  it('is what the matrix says', async () => {
    await expect(writeMatrix(rows)).toMatchFileSnapshot('./mutation-matrix.tsv')
  })
})
