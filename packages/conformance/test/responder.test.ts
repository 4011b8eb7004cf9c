import { allChecks, allChecks50, type Check, hostileChecks, hostileChecks50, runCheck } from '@godwit/conformance'
import { describe, expect, it } from 'vitest'
import { Responder } from './responder/responder.js'

/** What is checked is the checks: a server that keeps every rule must pass them all. */
function passes(checks: readonly Check[]): void {
  it.each(checks.map((check) => [check.id, check] as const))('%s', async (_, check) => {
    const { outcome, detail, transcript } = await runCheck(new Responder(), check)
    expect(outcome, [detail, ...transcript.slice(-40)].join('\n')).not.toBe('fail')
  })
}

describe('a correct responder passes the checks of 3.1.1', () => passes(allChecks))
describe('a correct responder passes the checks of 5.0', () => passes(allChecks50))
describe('a correct responder bears hostile input', () => passes([...hostileChecks, ...hostileChecks50]))
