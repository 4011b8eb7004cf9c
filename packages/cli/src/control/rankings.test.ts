import { expect, test } from 'vitest'
import { Rankings } from './rankings.js'

/** So many clients; the n-th has n bytes in its outbox and n messages in its queue. */
function broker(count: number) {
  const clients = Array.from({ length: count }, (_, n) => ({
    clientId: `c${n}`,
    connected: true,
    outboxBytes: n,
    queued: n,
  }))
  const listed = {
    count: async () => count,
    async page({ after = '0', limit = 100 }: { after?: string; limit?: number }) {
      const end = Number(after) + limit
      return { items: clients.slice(Number(after), end), next: end < count ? String(end) : undefined }
    },
  }
  return { clients: listed, sessions: listed }
}

async function ranked(count: number): Promise<Rankings> {
  const left = new AbortController()
  const rankings = new Rankings(broker(count), left.signal)
  const ended = rankings.run().catch((error: Error) => error.name)
  await expect.poll(() => rankings.deepest).toBeDefined()
  left.abort()
  expect(await ended).toBe('AbortError')
  return rankings
}

test('the twenty with most, of all pages', async () => {
  const { slowest, deepest } = await ranked(4_321)
  expect(slowest).toHaveLength(20)
  expect(slowest?.map(({ outboxBytes }) => outboxBytes)).toEqual(Array.from({ length: 20 }, (_, n) => 4_320 - n))
  expect(deepest?.[0]).toEqual({ clientId: 'c4320', connected: true, queued: 4_320 })
})

test('none for which nothing waits', async () => {
  const { slowest, deepest } = await ranked(3)
  expect(slowest).toEqual([
    { clientId: 'c2', outboxBytes: 2 },
    { clientId: 'c1', outboxBytes: 1 },
  ])
  expect(deepest).toHaveLength(2)
})
