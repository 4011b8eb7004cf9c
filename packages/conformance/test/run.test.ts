import { type Check, CheckFailure, type Dialogue, runCheck, runChecks, type Trial } from '@godwit/conformance'
import { describe, expect, it } from 'vitest'
import { Responder } from './responder/responder.js'

const checkOf = (id: string, ...dialogues: readonly Dialogue[]): Check => ({
  id,
  version: '3.1.1',
  section: '3.1.2',
  text: '',
  cases: dialogues.map((run, i) => ({ name: `case ${i + 1}`, run })),
})

const passes: Dialogue = async (t) => void (await t.connect())
const skips: Dialogue = async (t) => t.skip('the server has none')
const fails: Dialogue = async (t) => {
  const c = await t.connect()
  await c.expectClosed()
}

describe('running checks', () => {
  it('passes when no case fails', async () => {
    expect(await runCheck(new Responder(), checkOf('a', passes, skips))).toMatchObject({
      outcome: 'pass',
      detail: '',
    })
  })

  it('fails when one case does, says which, and what was said in it', async () => {
    const result = await runCheck(new Responder(), checkOf('a', passes, skips, fails))
    expect(result).toMatchObject({
      outcome: 'fail',
      detail: 'case 3: expected the connection to be closed; it stayed open',
    })
    expect(result.transcript.join('\n')).toContain('gets CONNACK, reasonCode 0x00 (Success) [20 02 00 00]')
  })

  it('skips when every case does, with the reason', async () => {
    const result = await runCheck(new Responder(), checkOf('a', skips))
    expect(result).toMatchObject({ outcome: 'skip', detail: 'case 1: the server has none' })
  })

  it('fails, and does not throw, when the server cannot be reached', async () => {
    const nobody = Object.assign(new Responder(), { open: () => Promise.reject(new Error('connection refused')) })
    const result = await runCheck(nobody, checkOf('a', passes))
    expect(result).toMatchObject({
      outcome: 'fail',
      detail: 'case 1: could not be carried out: Error: connection refused',
    })
  })

  it('runs only what is asked for, by id or by section', async () => {
    const idsOf = async (...only: string[]): Promise<string[]> => {
      const results = await runChecks(new Responder(), [checkOf('a'), { ...checkOf('b'), section: '3.10' }], { only })
      return results.map(({ id }) => id)
    }
    expect(await idsOf('a')).toEqual(['a'])
    expect(await idsOf('3.1')).toEqual(['a'])
    expect(await idsOf('3')).toEqual(['a', 'b'])
  })

  it('gives results in the order of the checks, however many run at once', async () => {
    const checks = ['a', 'b', 'c', 'd'].map((id) => checkOf(id, passes))
    const results = await runChecks(new Responder(), checks, { jobs: 3 })
    expect(results.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('leaves no session and no retained message', async () => {
    const server = new Responder()
    let trial: Trial | undefined
    const leaves: Dialogue = async (t) => {
      trial = t
      const c = await t.connect({ cleanStart: false, clientId: t.clientId('s') })
      await c.publish(t.topic('a'), 'x', { qos: 1, retain: true })
      throw new CheckFailure('this', 'that')
    }
    await runCheck(server, checkOf('a', leaves))
    const again = await trial!.connect({ cleanStart: false, clientId: trial!.clientId('s') })
    expect(again.sessionPresent).toBe(false)
    await again.subscribe(trial!.topic('a'))
    await again.expectNothing()
  })
})
