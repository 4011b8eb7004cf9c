import { allChecks50, hostileChecks50, missing50, missingHostile50, statements50 } from '@godwit/conformance'
import { describe, expect, it } from 'vitest'

describe('coverage of MQTT 5.0', () => {
  it('has all 251 statements, each once', () => {
    expect(statements50).toHaveLength(251)
    expect(new Set(statements50.map(({ id }) => id)).size).toBe(251)
  })

  it('checks each statement a server can be seen to keep, or says why not', () => {
    const wanted = statements50.filter(({ who, testable }) => who !== 'client' && testable).map(({ id }) => id)
    expect(wanted).toHaveLength(203)
    const named = [...allChecks50.map(({ id }) => id), ...Object.keys(missing50)]
    expect(named.sort()).toEqual([...wanted].sort())
  })

  it('plays each hostile input of 5.0, or says why not', () => {
    const names = [...hostileChecks50.map(({ id }) => id.replace('hostile/', '')), ...Object.keys(missingHostile50)]
    expect(new Set(names).size).toBe(43)
    expect(names).toHaveLength(43)
  })
})
