import { createBroker } from '@godwit/broker'
import { expect, test } from 'vitest'
import { micros } from './clock.js'
import { Load } from './load.js'
import type { BenchSettings } from './settings.js'

const settings: BenchSettings = {
  scenario: 'fanin',
  way: { url: 'mqtt://127.0.0.1' },
  version: 4,
  qos: 1,
  size: 64,
  pubs: 1,
  subs: 2,
  clients: 0,
  topics: 0,
  clean: true,
  window: 1,
  count: 1,
  warmupSeconds: 0,
  seconds: 60,
  topic: 'load',
  clientPrefix: 'load',
  workers: 2,
}

test('what one thread sends counts in another that has not been told to start yet', async () => {
  await using broker = await createBroker()
  const { port } = await broker.listen({ port: 0 })
  const fail = (error: Error): never => expect.fail(error.message)
  const events = { onDelivered: () => {}, onFailure: fail }
  const own = { ...settings, way: { url: `mqtt://127.0.0.1:${port}` } }
  const [first, second] = [new Load(own, 0, events), new Load(own, 1, events)]
  await Promise.all([first.prepare(), second.prepare()])
  const start = Math.floor(micros())
  const times = { start, measureFrom: start, end: start + 60e6 }
  await Promise.all([first.arm(times), second.arm(times)])
  first.start(times)
  await expect.poll(async () => (await second.tally()).received).toBe(1)
  expect(second.latency.count).toBe(1)
  expect((await second.tally()).measured).toBe(1)
  await Promise.all([first.close(), second.close()])
})
