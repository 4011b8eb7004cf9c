import { allChecks, allChecks50, type Check, hostileChecks, hostileChecks50, runCheck } from '@godwit/conformance'
import { describe, expect, it } from 'vitest'
import { createBroker } from '../src/index.js'
import { MemoryTarget, VirtualClock } from '../src/testing/index.js'

// Each check plays against a broker of its own, in its memory and its time: nothing sleeps.
function play(checks: readonly Check[]): void {
  for (const check of checks) {
    it(`${check.id} ${check.text}`, async ({ skip }) => {
      const clock = new VirtualClock()
      const broker = await createBroker({ clock })
      const { outcome, detail, transcript } = await runCheck(new MemoryTarget(broker, clock), check)
      await broker.close()
      if (outcome === 'skip') skip(detail)
      expect(outcome, [detail, ...transcript.slice(-40)].join('\n')).toBe('pass')
    })
  }
}

describe('statements of 3.1.1', () => play(allChecks))

describe('statements of 5.0', () => play(allChecks50))

describe('hostile input', () => play(hostileChecks))

describe('hostile input at 5.0', () => play(hostileChecks50))
