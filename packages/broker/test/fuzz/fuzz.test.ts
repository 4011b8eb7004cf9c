import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { heapBytes } from '../garbage.js'
import { endingOf, Fuzz, kindOf } from './fuzz.js'

/** Packets to send; the long form, `npm run proof -- --fuzz`, sends many more. */
const packets = Number(process.env.GODWIT_TEST_FUZZ_PACKETS ?? 300_000)
const seed = Number(process.env.GODWIT_TEST_SEED ?? 1883)
const packetsToWarmUp = 30_000
const mostGrowthBytes = 8_388_608

/** What earlier runs found: one connection for each way to end one. `GODWIT_TEST_FUZZ_KEEP=1` adds what a run finds. */
const corpus = new URL('corpus.json', import.meta.url)
const cases = JSON.parse(readFileSync(corpus, 'utf8')) as Record<string, string>
const mostBytesKept = 400

const escaped: unknown[] = []
const note = (error: unknown): void => void escaped.push(error)
beforeEach(() => {
  process.on('uncaughtException', note).on('unhandledRejection', note)
})
afterEach(() => {
  process.off('uncaughtException', note).off('unhandledRejection', note)
  expect(escaped.splice(0)).toEqual([])
})

it(
  `${packets} packets, right and wrong, harm nobody else and leave nothing behind (seed ${seed})`,
  async () => {
    const fuzz = await new Fuzz(seed).start()
    await fuzz.run(packetsToWarmUp)
    await fuzz.rest()
    const before = heapBytes()
    await fuzz.run(packets - packetsToWarmUp)
    await fuzz.rest()
    const grown = heapBytes() - before
    expect(fuzz.findings).toEqual([])
    expect((await fuzz.broker.metrics()).protocolErrors).toBeGreaterThan(packets / 20)
    expect(fuzz.endings.size).toBeGreaterThan(30)
    expect(grown).toBeLessThan(mostGrowthBytes)
    await fuzz.stop()
    if (process.env.GODWIT_TEST_FUZZ_KEEP) await keepNew(fuzz)
  },
  20_000 + packets / 2,
)

async function keepNew(fuzz: Fuzz): Promise<void> {
  const known = new Set(Object.keys(cases).map(kindOf))
  const found = { ...cases }
  for (const [kind, { why, said }] of fuzz.endings) {
    if (known.has(kind) || said.length > mostBytesKept || (await endingOf(said)) !== why) continue
    found[why] = Buffer.from(said).toString('hex')
  }
  const sorted = Object.entries(found).toSorted(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(corpus, `${JSON.stringify(Object.fromEntries(sorted), undefined, 2)}\n`)
}

it.each(Object.entries(cases))('%s', async (why, said) => {
  expect(await endingOf(Buffer.from(said, 'hex'))).toBe(why)
})
