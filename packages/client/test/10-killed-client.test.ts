import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createBroker } from '@godwit/broker'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('./killed-client.mjs', import.meta.url))
const built = fileURLToPath(new URL('../dist/file-store.js', import.meta.url))
/** Given back through the environment to see a failure again. */
const seed = Number(process.env.GODWIT_TEST_SEED ?? Date.now() % 2 ** 31)
const rounds = 8

/** When a round ends: after so many messages at the broker, and so many turns of the event loop. */
const round = fc.record({ messages: fc.integer({ min: 1, max: 120 }), turns: fc.integer({ min: 0, max: 40 }) })

interface Outcome {
  /** What the client was known to have on disk when it was killed, and all it ever tried. */
  readonly accepted: readonly number[]
  /** At the broker, in the order of arrival. */
  readonly arrived: readonly number[]
  /** What the broker sent down, in order. */
  readonly sent: readonly string[]
  /** The journals of the client's lives, a line each event. */
  readonly lives: readonly (readonly string[])[]
}

/** A client lives, is killed at a random moment, and lives again, until it may finish. */
async function play(kind: 'file' | 'memory'): Promise<Outcome> {
  if (!existsSync(built)) throw new Error(`${built} is not there: build before testing (npm run build)`)
  const folder = mkdtempSync(join(tmpdir(), 'godwit-killed-client-'))
  const broker = await createBroker({ sysIntervalSeconds: 0 })
  const { port } = await broker.listen({ port: 0 })
  const arrived: number[] = []
  const sent: string[] = []
  const lives: string[][] = []
  let onArrived = (): void => {}
  let loading = true
  broker.subscribe('up', (message) => {
    arrived.push(Number.parseInt(message.text(), 10))
    if (loading && arrived.length % 3 === 0)
      void broker.publish('down', `${sent.push(`${sent.length}`) - 1}`, { qos: 2 })
    onArrived()
  })
  const live = async (task: 'load' | 'finish', meanwhile: (child: ReturnType<typeof fork>) => Promise<void>) => {
    const journal = join(folder, `journal-${lives.length}`)
    const next = Math.max(-1, ...numbersOf(lives, 'publishing')) + 1
    const child = fork(program, [`${port}`, kind, join(folder, 'client.store'), journal, `${next}`, task])
    const gone = once(child, 'exit')
    await Promise.race([meanwhile(child), gone])
    const [code, signal] = await gone
    lives.push(readFileSync(journal, 'utf8').split('\n').slice(0, -1))
    return signal ?? code
  }
  try {
    for (const { messages, turns } of fc.sample(round, { seed, numRuns: rounds })) {
      const end = await live('load', async (child) => {
        const until = arrived.length + messages
        await new Promise<void>((resolve) => {
          onArrived = () => arrived.length >= until && resolve()
        })
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
        child.kill('SIGKILL')
      })
      expect(end, `seed ${seed}`).toBe('SIGKILL')
    }
    loading = false
    sent.push('end')
    await broker.publish('down', 'end', { qos: 2 })
    const end = await live('finish', async () => {})
    expect(end, `seed ${seed}`).toBe(0)
    return { accepted: numbersOf(lives, 'accepted'), arrived, sent, lives }
  } finally {
    await broker.close()
    rmSync(folder, { recursive: true })
  }
}

function wordsOf(life: readonly string[], what: string): string[] {
  return life.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1))
}

function numbersOf(lives: readonly (readonly string[])[], what: string): number[] {
  return lives.flatMap((life) => wordsOf(life, what)).map(Number)
}

function lostOf({ accepted, arrived }: Outcome): number[] {
  const there = new Set(arrived)
  return accepted.filter((number) => !there.has(number))
}

test('a client that is killed again and again keeps its word through its file', { timeout: 60_000 }, async () => {
  const outcome = await play('file')
  const { accepted, arrived, sent, lives } = outcome
  const said = `seed ${seed}`
  expect(accepted.length, said).toBeGreaterThan(rounds)
  expect(Math.max(...numbersOf(lives, 'recovered')), said).toBeGreaterThan(10)
  expect(
    lives.flatMap((life) => wordsOf(life, 'failed')),
    said,
  ).toEqual([])

  // Out: at least once at QoS 1, exactly once at QoS 2, in order.
  expect(lostOf(outcome), said).toEqual([])
  const first = [...new Set(arrived)]
  expect(first, said).toEqual(first.toSorted((a, b) => a - b))
  const atQos2 = arrived.filter((number) => number % 2 === 1)
  expect(atQos2, said).toEqual([...new Set(atQos2)])

  // In: what the client once knew to be on its disk never comes again; what it did not comes to its next life.
  const kept = new Set<string>()
  for (const life of lives) {
    const got = wordsOf(life, 'got')
    expect(got, said).toEqual([...new Set(got)])
    expect(
      got.filter((text) => kept.has(text)),
      said,
    ).toEqual([])
    for (const text of wordsOf(life, 'kept')) kept.add(text)
  }
  expect([...new Set(lives.flatMap((life) => wordsOf(life, 'got')))], said).toEqual(sent)
})

test('the same with a store in memory loses messages: the test above can fail', { timeout: 60_000 }, async () => {
  expect(lostOf(await play('memory'))).not.toEqual([])
})
