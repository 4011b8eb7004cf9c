import { VirtualClock } from '@godwit/broker/testing'
import { JetStreamApiError } from '@nats-io/jetstream'
import { TimeoutError } from '@nats-io/nats-core'
import { expect, it } from 'vitest'
import { onceGathered, refusalOf } from './gathered.js'

const said = (err_code: number): Error =>
  new JetStreamApiError({ code: 400, err_code, description: 'no suitable peers for placement' })

/** Refuses so often. */
function setUp(error: Error, times: number) {
  const clock = new VirtualClock()
  const lines: string[] = []
  let calls = 0
  const call = async (): Promise<string> => {
    calls++
    if (calls <= times) throw error
    return 'made'
  }
  const made = onceGathered(call, clock, { log: (_, line) => void lines.push(line) })
  made.catch(() => {})
  return { clock, lines, made, calls: () => calls }
}

const pass = async (clock: VirtualClock, ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 250) {
    await new Promise(setImmediate)
    clock.advance(250)
  }
  await new Promise(setImmediate)
}

it('servers that have just started are asked again until they have gathered; it is told once', async () => {
  const { clock, lines, made, calls } = setUp(said(10_005), 3)
  await pass(clock, 1_000)
  expect(await made).toBe('made')
  expect(calls()).toBe(4)
  expect(lines).toEqual(['waits until the NATS servers have gathered (no suitable peers for placement)'])
})

it('servers that have no leader yet do not answer, and are asked again', async () => {
  const { clock, lines, made } = setUp(new TimeoutError(), 2)
  await pass(clock, 1_000)
  expect(await made).toBe('made')
  expect(lines).toEqual(['waits until the NATS servers have gathered (timeout)'])
})

it('servers that do not gather are given up', async () => {
  const { clock, made } = setUp(said(10_005), Number.POSITIVE_INFINITY)
  await pass(clock, 16_000)
  await expect(made).rejects.toThrow('no suitable peers')
})

it('another refusal is told at once', async () => {
  const { made, calls } = setUp(said(10_074), 1)
  await expect(made).rejects.toThrow()
  expect(calls()).toBe(1)
})

it('what is refused is told with what to do', () => {
  expect(refusalOf(said(10_005)).message).toBe(
    'JetStream refuses: no suitable peers for placement; while the streams are made all servers must run, and have room (max_file_store)',
  )
  expect(refusalOf(new Error('timeout')).message).toBe(
    'JetStream refuses: timeout; see that a majority of its servers runs and that the user may do it',
  )
})
