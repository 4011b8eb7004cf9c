import { allChecks, hostileChecks, statements311 } from '@godwit/conformance'
import { describe, expect, it } from 'vitest'
import { hostileInputs } from './hostile-inputs.js'

/** Statements about clients whose breach the standard tells servers how to meet. */
const clientStatements = [
  ...['3.1.0-1', '3.1.2-9', '3.1.2-11', '3.1.2-13', '3.1.2-14', '3.1.2-15', '3.1.2-18', '3.1.2-19', '3.1.2-20'],
  ...['3.1.2-21', '3.1.2-22', '3.1.3-1', '3.1.3-3', '3.1.3-4', '3.1.3-7', '3.1.3-10', '3.1.3-11', '3.8.1-1', '3.8.3-1'],
  ...['3.8.3-3', '3.10.1-1', '3.10.3-1', '3.10.3-2', '4.7.1-2', '4.7.1-3'],
].map((number) => `MQTT-${number}`)

describe('coverage of MQTT 3.1.1', () => {
  it('has all 141 statements, each once', () => {
    expect(statements311).toHaveLength(141)
    expect(new Set(statements311.map(({ id }) => id)).size).toBe(141)
  })

  it('checks each statement a server can be seen to keep', () => {
    const wanted = statements311.filter(({ who, testable }) => who !== 'client' && testable).map(({ id }) => id)
    expect(wanted).toHaveLength(104)
    const checked = allChecks.map(({ id }) => id)
    expect([...checked].sort()).toEqual([...wanted, ...clientStatements].sort())
  })

  it('skips for no other reason than that it needs a WebSocket', () => {
    const skipped = allChecks.filter(({ skip }) => skip).map(({ id, skip }) => `${id}: ${skip}`)
    expect(skipped).toEqual(['1', '2', '4'].map((n) => `MQTT-6.0.0-${n}: needs a WebSocket target`))
  })

  it('gives every other check a dialogue', () => {
    for (const { id, cases, skip } of [...allChecks, ...hostileChecks]) {
      expect(cases.length > 0, id).toBe(skip === undefined)
    }
  })

  it('plays every hostile input', () => {
    expect(hostileChecks.map(({ id }) => id).sort()).toEqual(hostileInputs.map((name) => `hostile/${name}`).sort())
  })
})
