import { systemClock } from '@godwit/broker'
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
