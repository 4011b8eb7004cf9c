import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BusiestTopics, type TopicRate } from './busiest-topics.js'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

/** What is published in the span under way. */
let span: readonly TopicRate[]
let watching = 0
const broker = {
  async watchTopics() {
    watching++
    const top = async (count: number) => ({ topics: span.slice(0, count), leftOut: 0, tooHighBy: 0 })
    return { top, stop: async () => void watching-- }
  },
}

/** A second in which these topics had so many messages, of ten bytes each. */
async function second(topics: BusiestTopics, messages: Readonly<Record<string, number>>): Promise<void> {
  span = Object.entries(messages).map(([topic, count]) => ({ topic, messages: count, bytes: count * 10 }))
  vi.advanceTimersByTime(1_000)
  await topics.next()
}

test('the busiest first, on average of the seconds looked back at', async () => {
  const topics = await BusiestTopics.of(broker)
  expect(topics.top(10)).toEqual([])
  await second(topics, { a: 100, b: 10 })
  await second(topics, { b: 300 })
  expect(topics.top(10)).toEqual([
    { topic: 'b', messages: 155, bytes: 1_550 },
    { topic: 'a', messages: 50, bytes: 500 },
  ])
  expect(topics.top(1)).toHaveLength(1)
})

test("the broker's own topics are none of them", async () => {
  const topics = await BusiestTopics.of(broker)
  await second(topics, { '$SYS/broker/uptime': 100, a: 1 })
  expect(topics.top(10)).toEqual([{ topic: 'a', messages: 1, bytes: 10 }])
})

test('what was busy more than ten seconds ago is forgotten', async () => {
  const topics = await BusiestTopics.of(broker)
  await second(topics, { old: 1_000_000 })
  for (let n = 0; n < 10; n++) await second(topics, { new: 1 })
  expect(topics.top(10)).toEqual([{ topic: 'new', messages: 1, bytes: 10 }])
})

test('the broker counts for one at a time, and no more when it is stopped', async () => {
  watching = 0
  const topics = await BusiestTopics.of(broker)
  await second(topics, {})
  expect(watching).toBe(1)
  await topics.stop()
  expect(watching).toBe(0)
})
