import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Deliveries } from '../../src/store/deliveries.contract.js'
import { lmdbStore } from '../../src/store/lmdb/index.js'
import { checkPages } from '../../src/store/lmdb/page-check.js'
import type { Recovered } from '../../src/store/store.js'
import { VirtualClock } from '../../src/testing/index.js'
import { BrokerTime } from '../../src/time/broker-time.js'
import { BadDisk, type Refusal } from './bad-disk.js'
import { Findings, report } from './findings.js'
import { Lab } from './lab.js'
import { PowerCuts } from './power-cut.js'
import { Random, seed } from './random.js'
import { allRemains, type Files } from './recording.js'

const points = Number(process.env.GODWIT_TEST_STORE_POWER_CUTS ?? 60)
const steps = 150

const lab = new Lab('store-power-cut')
const { missing } = lab
const cuts = new PowerCuts(lab)

/** Of each session the texts that wait, and of each topic the one that is retained; each says when it expires. */
interface Held {
  readonly sessions: Readonly<Record<string, readonly string[]>>
  readonly retained: Readonly<Record<string, string>>
}

interface Step extends Held {
  readonly step: number
  readonly began: string
  /** Of the broker. */
  readonly time: number
}

describe.skipIf(missing)('a power cut while queues are rewritten, drained and cleared away', () => {
  it('leaves what was safe, and nothing half', { timeout: 60_000 + points * 500 }, async () => {
    const random = new Random()
    const findings = new Findings()
    const { directory, lines } = await churned(steps)
    const told = lines.map((line) => JSON.parse(line) as Step & { readonly safe?: number; readonly at: string })
    const safe = told.filter((one) => one.safe !== undefined)
    const held = told.filter((one) => one.safe === undefined)
    const end = held.at(-1)!.time
    const recording = cuts.recordingOf(directory)
    const moments = recording.moments.filter((at) => at > BigInt(held[0]!.began))
    let looks = 0
    for (let n = 0; n < points; n++) {
      const moment = random.pick(moments)
      const from = Math.max(-1, ...safe.filter(({ at }) => BigInt(at) <= moment).map((one) => one.safe!))
      const possible = held.filter(({ step, began }) => step >= from && BigInt(began) <= moment)
      for (const remains of allRemains) {
        const cut = cuts.folderOf(recording.filesAt(moment, remains, random), directory)
        const { damage } = checkPages(join(cut, 'p0/data.mdb'))
        if (damage.length > 0) findings.unopened.push(`${remains}, step ${from}: ${damage}`)
        const left = lasting(await heldIn(cut), end)
        // Before the first is safe there may be nothing.
        const isKept = possible.some((one) => same(lasting(one, end), left)) || (from < 0 && isNothing(left))
        if (!isKept)
          findings.lost.push(`${remains}: neither step ${from} nor one of the ${possible.length - 1} behind it`)
        looks++
        rmSync(cut, { recursive: true })
      }
    }
    report({
      suite: 'power cut',
      mode: 'queues rewritten and cleared',
      rounds: looks,
      acknowledged: texts(held),
      findings,
    })
    expect(findings.all).toEqual({})
  })
})

describe.skipIf(missing)('a power cut while a folder of format 1 is upgraded', () => {
  it('loses nothing of it', { timeout: 60_000 + points * 1000 }, async () => {
    const random = new Random()
    const findings = new Findings()
    const { directory, before } = await churned(0, format1)
    const recording = cuts.recordingOf(directory, before)
    const whole = await heldIn(directory)
    expect(texts([whole])).toBe(20)
    const all = [...new Set(recording.moments)].sort((a, b) => (a < b ? -1 : 1))
    const moments = all.filter((_, n) => n % Math.ceil(all.length / points) === 0)
    let looks = 0
    for (const moment of moments) {
      for (const remains of allRemains) {
        const cut = cuts.folderOf(recording.filesAt(moment, remains, random), directory)
        try {
          const left = await heldIn(cut)
          if (!same(left, whole)) findings.lost.push(`${remains}, ${moment - moments[0]!} ns after it began`)
        } catch (error) {
          findings.unopened.push(`${remains}, ${moment - moments[0]!} ns after it began: ${error}`)
        }
        looks++
        rmSync(cut, { recursive: true })
      }
    }
    report({
      suite: 'power cut',
      mode: 'an upgrade of format 1',
      rounds: looks,
      acknowledged: texts([whole]),
      findings,
    })
    expect(findings.all).toEqual({})
  })
})

describe.skipIf(missing)('an upgrade on a disk that refuses', () => {
  it.for<Refusal>([
    { calls: 'writes', every: 4, with: 'half' },
    { calls: 'syncs', every: 2, with: 'EIO' },
    { calls: 'syncs', every: 3, with: 'EIO' },
  ])('is told, or done all the same, and loses nothing: %o', async (refusal) => {
    const directory = lab.directory('run')
    format1(mkdirSync(join(directory, 'p0'), { recursive: true })!)
    const disk = new BadDisk(lab.library('refuse'), directory)
    disk.refuse(refusal)
    const child = spawn(process.execPath, [program, directory], { env: { ...process.env, ...disk.env } })
    const [said, [code, signal]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([signal, code === 0 || /BrokerError: the data folder .* cannot be/.test(said)]).toEqual([null, true])
    expect(disk.refused).toBeGreaterThan(0)
    expect(texts([await heldIn(directory)])).toBe(20)
    disk.dispose()
  })
})

function format1(p0: string): void {
  const old = gunzipSync(readFileSync(new URL('../store/format-1.mdb.gz', import.meta.url)))
  writeFileSync(join(p0, 'data.mdb'), old)
  writeFileSync(join(p0, '../format'), 'godwit data, format 1\n')
}

const program = fileURLToPath(new URL('churn.mjs', import.meta.url))

/** Runs churn.mjs on a folder, recorded. @param prepare puts what is there before it begins. */
async function churned(
  many: number,
  prepare: (p0: string) => void = () => {},
): Promise<{ readonly directory: string; readonly lines: readonly string[]; readonly before: Files }> {
  const directory = lab.directory('run')
  if (many === 0) mkdirSync(join(directory, 'p0'))
  prepare(join(directory, 'p0'))
  const before = filesIn(directory)
  const child = spawn(process.execPath, [program, directory, String(seed), String(many)], {
    env: { ...process.env, ...cuts.recorded(directory) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) lines.push(line)
  const [code, signal] = await ended
  expect(many === 0 ? code : signal).toBe(many === 0 ? 0 : 'SIGKILL')
  return { directory, lines, before }
}

function filesIn(directory: string): Files {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = names.map(({ parentPath, name }) => join(parentPath, name))
  return new Map(paths.map((path) => [path, readFileSync(path)]))
}

async function heldIn(directory: string): Promise<Held> {
  const store = lmdbStore({ directory })
  try {
    return heldOf(await store.open({ time: new BrokerTime(new VirtualClock(0)) })) // behind the clock of before: nothing expires
  } finally {
    await store.close()
  }
}

function heldOf({ sessions, groups, retained }: Recovered): Held {
  const queues = [
    ...sessions.map(({ clientId, stored, outgoing }) => [clientId, new Deliveries(stored, outgoing)] as const),
    ...groups.map(({ sharedFilter, stored, outgoing }) => [sharedFilter, new Deliveries(stored, outgoing)] as const),
  ]
  return {
    sessions: Object.fromEntries(
      queues.map(([name, deliveries]) => [
        name,
        deliveries
          .texts()
          .filter((text) => text !== '-')
          .map((text) => text.replace(/ \.*$/, '')),
      ]),
    ),
    retained: Object.fromEntries(
      retained.map(({ topic, payload }) => [topic, Buffer.from(payload).toString().replace(/ \.*$/, '')]),
    ),
  }
}

/** What is not over by then: the rest may have been removed, or not. */
function lasting({ sessions, retained }: Held, time: number): Held {
  const lasts = (text: string): boolean => {
    const expiresAt = Number(text.split(' ')[1])
    return expiresAt === 0 || expiresAt > time
  }
  return {
    sessions: Object.fromEntries(Object.entries(sessions).map(([name, queue]) => [name, queue.filter(lasts)])),
    retained: Object.fromEntries(Object.entries(retained).filter(([, text]) => lasts(text))),
  }
}

const same = (one: Held, other: Held): boolean => sorted(one) === sorted(other)

function sorted({ sessions, retained }: Held): string {
  const byName = (entries: object): unknown => Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([byName(sessions), byName(retained)])
}

const isNothing = ({ sessions }: Held): boolean => Object.keys(sessions).length === 0

const texts = (held: readonly Held[]): number =>
  new Set(
    held.flatMap(({ sessions }) =>
      Object.entries(sessions).flatMap(([name, queue]) => queue.map((text) => name + text)),
    ),
  ).size
