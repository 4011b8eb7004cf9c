import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Client, connect } from '../src/index.js'
import { type Fate, ModelServer } from './model-server.js'
import { settled, VirtualClock } from './virtual-clock.js'

interface Publication {
  readonly text: string
  readonly qos: 0 | 1 | 2
  readonly atMs: number
}

interface Run {
  readonly publications: readonly { readonly qos: 0 | 1 | 2; readonly atMs: number }[]
  readonly incoming: readonly (1 | 2)[]
  readonly fates: readonly Fate[]
  readonly handlerMs: number
  readonly maxInflight: number
}

interface Outcome {
  readonly publications: readonly Publication[]
  /** How each publish() ended: 'ok' or the code of its error. */
  readonly ends: readonly string[]
  readonly seen: readonly string[]
  readonly incoming: readonly { readonly text: string; readonly qos: 1 | 2 }[]
  readonly server: ModelServer
}

function runs(forget: fc.Arbitrary<boolean>): fc.Arbitrary<Run> {
  const bytes = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 1, arbitrary: fc.constant(Infinity) },
  )
  return fc.record({
    publications: fc.array(
      fc.record({ qos: fc.constantFrom(0 as const, 1 as const, 2 as const), atMs: fc.integer({ min: 0, max: 4000 }) }),
      { maxLength: 30 },
    ),
    incoming: fc.array(fc.constantFrom(1 as const, 2 as const), { maxLength: 20 }),
    fates: fc.array(fc.record({ upBytes: bytes, downBytes: bytes, delayMs: fc.integer({ min: 0, max: 40 }), forget }), {
      maxLength: 12,
    }),
    handlerMs: fc.constantFrom(0, 1, 50),
    maxInflight: fc.constantFrom(1, 3, 20),
  })
}

/** Plays a run to its end: the last connection does not break, so that everything can finish. */
async function play(run: Run, version: 4 | 5): Promise<Outcome> {
  const clock = new VirtualClock()
  const incoming = run.incoming.map((qos, at) => ({ qos, text: `in${at}` }))
  const server = new ModelServer(clock, run.fates, incoming)
  const client = await connect('mqtt://model', {
    background: true,
    version,
    fallback: false,
    clock,
    clientId: 'me',
    clean: false,
    keepAliveSeconds: 2,
    pingTimeoutMs: 500,
    attemptTimeoutMs: 1000,
    maxInflight: run.maxInflight,
    openStream: server.openStream,
    reconnect: { initialMs: 10, maxMs: 200, stableMs: 500 },
  })
  const seen: string[] = []
  const subscribing = client.subscribe('down', {
    qos: 2,
    ack: 'manual',
    onMessage(message) {
      seen.push(message.text())
      // Consumers finish in another order than they began.
      clock.after(((seen.length * 7) % 3) * run.handlerMs, () => message.ack())
    },
  })
  const publications = run.publications
    .toSorted((a, b) => a.atMs - b.atMs)
    .map((publication, at) => ({ ...publication, text: `out${at}` }))
  const ends = publications.map((publication) => publishLater(client, clock, publication))
  let open = true
  void Promise.all([subscribing, ...ends]).then(() => (open = false))
  for (let step = 0; (open || !server.done) && step < 20_000; step++) await clock.skip()
  expect({ open, done: server.done }).toEqual({ open: false, done: true })
  let closed = false
  void client.close().then(() => (closed = true))
  for (let step = 0; !closed && step < 1000; step++) await clock.skip()
  await settled()
  expect(client.state).toBe('closed')
  return { publications, ends: await Promise.all(ends), seen, incoming, server }
}

function publishLater(client: Client, clock: VirtualClock, { text, qos, atMs }: Publication): Promise<string> {
  return new Promise((resolve) => {
    clock.after(atMs, () => {
      client.publish('up', text, { qos }).then(
        () => resolve('ok'),
        (error: { code: string }) => resolve(error.code),
      )
    })
  })
}

function firstOf(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}

function textsOf(messages: readonly { readonly text: string; readonly qos: number }[], ...qos: number[]): string[] {
  return messages.filter((message) => qos.includes(message.qos)).map((message) => message.text)
}

describe.each([4, 5] as const)('MQTT level %i', (version) => {
  test('whatever breaks whenever: nothing is lost, reordered, or given twice at QoS 2, in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(runs(fc.constant(false)), async (run) => {
        const { publications, ends, seen, incoming, server } = await play(run, version)
        expect(server.violations).toEqual([])
        for (const [at, { qos }] of publications.entries()) {
          if (qos > 0) expect(ends[at]).toBe('ok')
        }
        expect(firstOf(server.delivered)).toEqual(textsOf(publications, 1, 2))
        const outTwice = textsOf(publications, 2)
        expect(server.delivered.filter((text) => outTwice.includes(text))).toEqual(outTwice)
        const inTwice = textsOf(incoming, 2)
        expect(seen.filter((text) => inTwice.includes(text))).toEqual(inTwice)
        const inOnce = textsOf(incoming, 1)
        expect(firstOf(seen.filter((text) => inOnce.includes(text)))).toEqual(inOnce)
      }),
      { numRuns: 200 },
    )
  })

  test('when the server forgets sessions too: QoS 1 is not lost, QoS 2 never repeated, doubt is told', async () => {
    await fc.assert(
      fc.asyncProperty(runs(fc.boolean()), async (run) => {
        const { publications, ends, server } = await play(run, version)
        expect(server.violations).toEqual([])
        for (const [at, { qos, text }] of publications.entries()) {
          const times = server.delivered.filter((delivered) => delivered === text).length
          if (qos === 1) expect([ends[at], times > 0]).toEqual(['ok', true])
          if (qos === 2) {
            expect(times).toBeLessThanOrEqual(1)
            expect(ends[at] === 'ok' ? times === 1 : ends[at] === 'session-lost').toBe(true)
          }
        }
        const arrived = firstOf(server.delivered)
        expect(arrived).toEqual(textsOf(publications, 1, 2).filter((text) => arrived.includes(text)))
      }),
      { numRuns: 200 },
    )
  })
})
