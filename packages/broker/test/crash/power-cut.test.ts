import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { QoS } from '@godwit/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerProcess } from './broker-process.js'
import { Findings, report } from './findings.js'
import { Publisher, PublisherState } from './publisher.js'
import { Random } from './random.js'
import { allRemains, Recording, type Remains } from './recording.js'
import { Scene } from './scene.js'
import { Subscriber, SubscriberState } from './subscriber.js'
import { now, replay } from './timeline.js'
import { missingTool } from './tools.js'
import { verify } from './verify.js'

const points = Number(process.env.GODWIT_POWER_CUTS ?? 40)
/** For a store that does not wait: the looks end with the first loss. */
const hastyPoints = 10
const hastyPatienceMs = 500
/** Moments from the first on at which a new folder is cut. */
const firstMoments = 25
const loadMs = 250
/** What a sync takes on the disk that is played: long enough that an acknowledgement that did not wait is seen. */
const syncDelayMicroseconds = 2000

const missing = missingTool('cc', 'a C compiler (Debian: gcc)')
const folder = mkdtempSync(join(tmpdir(), 'godwit-power-cut-'))
const library = join(folder, 'record.so')

beforeAll(() => {
  if (missing) return
  const source = fileURLToPath(new URL('./record.c', import.meta.url))
  execFileSync('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl'])
})
afterAll(() => rmSync(folder, { recursive: true }))

describe.for<QoS>([1, 2])('a power cut under QoS %i load', (qos) => {
  it.skipIf(missing)('loses nothing that was acknowledged', { timeout: 30_000 + points * 1000 }, async () => {
    const { lost, findings } = await cutPower({ qos, hasty: false, points })
    expect(findings.all).toEqual({})
    expect(lost).toBe(0)
  })

  it.skipIf(missing)(
    'loses what a store that does not wait for the disk acknowledged',
    { timeout: 60_000 },
    async () => {
      const { lost, findings } = await cutPower({ qos, hasty: true, points: hastyPoints })
      expect([...findings.unopened]).toEqual([])
      expect(lost).toBeGreaterThan(0)
    },
  )
})

describe('a power cut while a new folder is made', () => {
  it.skipIf(missing)('leaves one that opens: nothing has been promised yet', { timeout: 60_000 }, async () => {
    const random = new Random()
    const run = await recordRun(1, false, random)
    const cuts: Cuts = { run, qos: 1, hasty: false, random, findings: new Findings(), reader: new Reader(), looks: 0 }
    const moments = [...run.recording.moments].sort((a, b) => (a < b ? -1 : 1)).slice(0, firstMoments)
    for (const moment of moments) for (const remains of allRemains) await lookAt(moment, remains, cuts, async () => {})
    await cuts.reader.end()
    report({ suite: 'power cut', mode: 'a new folder', rounds: cuts.looks, acknowledged: 0, findings: cuts.findings })
    expect(cuts.findings.all).toEqual({})
  })
})

interface Plan {
  readonly qos: QoS
  /** See {@link OpenOptions.hasty}. */
  readonly hasty: boolean
  readonly points: number
}

/** A run that is recorded, the power cut at many moments of it, and a look at what each cut left. */
async function cutPower({ qos, hasty, points }: Plan): Promise<{ lost: number; findings: Findings }> {
  const random = new Random()
  const run = await recordRun(qos, hasty, random)
  const findings = new Findings()
  const cuts: Cuts = { run, qos, hasty, random, findings, reader: new Reader(), looks: 0 }
  const moments = momentsOf(run, points, random)
  try {
    for (const moment of moments) {
      if (hasty && findings.lost.size > 0) break
      for (const remains of allRemains) await lookAt(moment, remains, cuts, (port) => verifyAt(moment, port, cuts))
    }
  } finally {
    await cuts.reader.end()
  }
  const mode = `QoS ${qos}${hasty ? ', a store that does not wait' : ''}`
  report({ suite: 'power cut', mode, rounds: cuts.looks, acknowledged: run.scene.acknowledged, findings })
  return { lost: findings.lost.size, findings }
}

interface Run {
  readonly scene: Scene
  readonly recording: Recording
  readonly directory: string
  /** Between these moments everybody was there and busy. */
  readonly from: bigint
  readonly until: bigint
}

async function recordRun(qos: QoS, hasty: boolean, random: Random): Promise<Run> {
  const directory = mkdtempSync(join(folder, 'run-'))
  const log = `${directory}.log`
  const scene = new Scene(qos, ['offline', 'mid-handshake'], random)
  const broker = new BrokerProcess([], {
    LD_PRELOAD: library,
    RECORD_FOLDER: directory,
    RECORD_LOG: log,
    RECORD_SYNC_DELAY_US: String(syncDelayMicroseconds),
    UV_USE_IO_URING: '0', // its writes would pass by the library
  })
  try {
    const port = await broker.open({ directory, hasty })
    await scene.begin(port)
    await scene.load(port)
    const from = now()
    await after(loadMs)
    const until = now()
    await broker.kill()
    await scene.lost()
    const recording = new Recording(log)
    expect(recording.isBlind).toBe(false)
    return { scene, recording, directory, from, until }
  } finally {
    await broker.kill()
  }
}

/** Half of them when an acknowledgement had just come, half when something was written or synced. */
function momentsOf({ scene, recording, from, until }: Run, points: number, random: Random): readonly bigint[] {
  const within = (at: bigint): boolean => at > from && at < until
  const acknowledged = scene.publishers
    .flatMap(({ journal }) => journal.filter(({ event }) => event.type !== 'sent'))
    .map(({ at }) => at)
    .filter(within)
  const written = recording.moments.filter(within)
  return Array.from({ length: points }, (_, index) => random.pick(index % 2 === 0 ? acknowledged : written))
}

interface Cuts {
  readonly run: Run
  readonly qos: QoS
  readonly hasty: boolean
  readonly random: Random
  readonly findings: Findings
  readonly reader: Reader
  /** How many cuts were looked at. */
  looks: number
}

/** The folder as the cut left it, opened. */
async function lookAt(
  moment: bigint,
  remains: Remains,
  cuts: Cuts,
  look: (port: number) => Promise<void>,
): Promise<void> {
  const { run, random, reader, findings } = cuts
  cuts.looks++
  const directory = mkdtempSync(join(folder, 'cut-'))
  for (const [path, bytes] of run.recording.filesAt(moment, remains, random)) {
    const file = join(directory, relative(run.directory, path))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
  try {
    await look(await reader.open(directory))
    await reader.close()
  } catch (error) {
    findings.unopened.push(`${remains}, ${moment - run.from} ns after the load began: ${error}`)
    await reader.end()
  }
  rmSync(directory, { recursive: true })
}

/** The clients as they were at the moment of the cut. */
async function verifyAt(moment: bigint, port: number, { run, qos, hasty, findings }: Cuts): Promise<void> {
  const { scene } = run
  const publishers = scene.publishers.map(({ state, journal }) => {
    const then = replay(new PublisherState(state.name), journal, moment)
    return new Publisher(then, { qos, window: 40 })
  })
  const subscribers = scene.subscribers.map(
    ({ name, journal }) => new Subscriber(name, replay(new SubscriberState(), journal, moment)),
  )
  const patience = hasty ? { patienceMs: hastyPatienceMs } : {}
  await verify(port, { qos, publishers, subscribers, wills: scene.wills, ...patience }, findings)
}

/** A broker's process that opens one folder after another; a new one when a folder was its end. */
class Reader {
  #broker: BrokerProcess | undefined

  open(directory: string): Promise<number> {
    this.#broker ??= new BrokerProcess()
    return this.#broker.open({ directory })
  }

  async close(): Promise<void> {
    await this.#broker?.close()
  }

  async end(): Promise<void> {
    await this.#broker?.kill()
    this.#broker = undefined
  }
}
