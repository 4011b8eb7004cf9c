import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { patientTimeout } from './patient-timeout.js'

function stop(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

describe('patientTimeout', () => {
  it('gives back the time in which the process did not run, once', async () => {
    const callback = vi.fn()
    const begun = performance.now()
    patientTimeout(150, callback)
    stop(400)
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    expect(callback).not.toHaveBeenCalled()
    await vi.waitUntil(() => callback.mock.calls.length > 0)
    expect(performance.now() - begun).toBeGreaterThanOrEqual(545)
  })

  it('can be cancelled, before and after a pause', async () => {
    const callback = vi.fn()
    patientTimeout(0, callback)()
    const cancel = patientTimeout(150, callback)
    stop(400)
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    cancel()
    await new Promise<void>((done) => void patientTimeout(200, done))
    expect(callback).not.toHaveBeenCalled()
  })
})
