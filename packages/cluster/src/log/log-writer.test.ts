import { systemClock } from '@godwit/broker'
import { VirtualClock } from '@godwit/broker/testing'
import { expect, it } from 'vitest'
import { decodeFrame } from '../frame/frame.js'
import type { LogServer } from './log-server.js'
import { Fenced, LogWriter } from './log-writer.js'
import { positionOf } from './position.js'

/** Takes all that is written. */
class Taken {
  readonly frames: Uint8Array[] = []
  readonly server = { publish: async (bytes: Uint8Array) => this.frames.push(bytes) } as unknown as LogServer

  get kinds(): readonly string[] {
    return this.frames.map((bytes) => decodeFrame(bytes).kind)
  }
}

const writerOn = ({ server }: Taken): LogWriter =>
  new LogWriter({ server, clock: systemClock, epoch: 1, instance: '0'.repeat(32), after: 0, owner: { node: 'a' } })

it('writes nothing after it has let go, though it was asked to before', async () => {
  const log = new Taken()
  const writer = writerOn(log)
  await writer.claim()
  const released = writer.release('b')
  const late = writer.commit([])
  await expect(late).rejects.toThrow(Fenced)
  expect(await released).toMatchObject({ released: true, heir: 'b' })
  expect(log.kinds).toEqual(['claim', 'released'])
})

it('says by what it has served with when somebody served last, not by when it has let go', async () => {
  const log = new Taken()
  const writer = writerOn(log)
  await writer.claim()
  const served = await writer.commit([])
  const frame = { ...decodeFrame(log.frames[1]!), kind: 'released' as const, wall: served.wall + 2_000 }
  expect(positionOf(3, frame, log.frames[1]!, served)).toMatchObject({ released: true, servedAt: served.wall })
})

it('tries again several times a second while nobody answers, so that a leader that was just elected has the frame soon', async () => {
  const clock = new VirtualClock()
  const tries: { readonly at: number; readonly withinMs: number }[] = []
  const publish = (_: Uint8Array, __: number, withinMs: number): Promise<'silent' | number> => {
    tries.push({ at: clock.monotonic(), withinMs })
    if (tries.length === 12) return Promise.resolve(1)
    return new Promise((resolve) => void clock.timeout(withinMs, () => resolve('silent')))
  }
  const server = { publish } as unknown as LogServer
  const writer = new LogWriter({ server, clock, epoch: 1, instance: '0'.repeat(32), after: 0, owner: { node: 'a' } })
  const claimed = writer.claim()
  for (let passed = 0; passed < 12_000; passed += 10) {
    await new Promise(setImmediate)
    clock.advance(10)
  }
  expect(await claimed).toMatchObject({ sequence: 1 })
  expect(tries[0]?.withinMs).toBe(2_000)
  const apart = tries.slice(1).map(({ at }, before) => at - tries[before]!.at)
  expect(Math.max(...apart.slice(1))).toBeLessThanOrEqual(760)
})
