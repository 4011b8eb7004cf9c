import { VirtualClock } from '@godwit/broker/testing'
import { expect, it } from 'vitest'
import type { LogServer, NodeNote } from '../log/log-server.js'
import type { LogWriter } from '../log/log-writer.js'
import { findHeir } from './heir.js'

/** Asks who could take over, 50 ms after another: what the nodes have told each time; the last again and again. */
async function ask(...told: readonly (readonly Partial<NodeNote>[])[]) {
  const clock = new VirtualClock()
  let looks = 0
  const notes = async () => {
    const now = told[Math.min(looks++, told.length - 1)]!
    return now.map((note) => ({ role: 'following', epoch: 1, applied: 7, at: clock.now(), ...note }) as NodeNote)
  }
  const writer = { ask: async () => ({ epoch: 1, sequence: 7 }) } as unknown as LogWriter
  const server = { notes } as unknown as LogServer
  let answer: { readonly heir: string | undefined } | undefined
  void findHeir({ server, clock, node: 'a', writer, onWait: () => {} }).then((heir) => {
    answer = { heir }
  })
  let waitedMs = 0
  for (;;) {
    await new Promise(setImmediate)
    if (answer) return { ...answer, waitedMs }
    clock.advance(50)
    waitedMs += 50
  }
}

it('a node that has all there is is the heir at once', async () => {
  expect(await ask([{ node: 'b' }])).toEqual({ heir: 'b', waitedMs: 0 })
})

it('a node that has begun to follow a moment ago tells of itself when it is asked', async () => {
  expect(await ask([{ node: 'a', role: 'owner' }], [{ node: 'b', role: 'starting' }], [{ node: 'b' }])).toEqual({
    heir: 'b',
    waitedMs: 50,
  })
})

it('where there is nobody else it is not waited long', async () => {
  const { heir, waitedMs } = await ask([{ node: 'a', role: 'owner' }])
  expect(heir).toBeUndefined()
  expect(waitedMs).toBeLessThan(500)
})

it('a node that follows, and has not all there is, is waited for', async () => {
  const { heir, waitedMs } = await ask([{ node: 'b', applied: 3 }])
  expect(heir).toBeUndefined()
  expect(waitedMs).toBeGreaterThan(5_000)
})
