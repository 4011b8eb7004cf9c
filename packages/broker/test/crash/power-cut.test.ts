import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { QoS } from '@godwit/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkPages } from '../../src/store/lmdb/page-check.js'
import { BrokerProcess, type Mutant, type OpenOptions } from './broker-process.js'
import { Findings, report } from './findings.js'
import { downSeconds, firstMoment, type Play } from './play.js'
import { Random } from './random.js'
import { allRemains, Recording, type Remains } from './recording.js'
import { Scene } from './scene.js'
import { now } from './timeline.js'
import { missingTool } from './tools.js'
import { V5Scene } from './v5-scene.js'

const points = Number(process.env.GODWIT_TEST_POWER_CUTS ?? 25)
const v5Points = Number(process.env.GODWIT_TEST_V5_POWER_CUTS ?? 5)
/** For a store that does not wait: the looks end with the first loss. */
const mutantPoints = 10
const mutantPatienceMs = 500
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
  const play = (random: Random): Play => new Scene(qos, ['offline', 'mid-handshake'], random)
  const v5Play = (random: Random): Play => new V5Scene(qos, random)

  it.skipIf(missing)('loses nothing that was acknowledged', { timeout: 30_000 + points * 1000 }, async () => {
    const findings = await cutPower({ mode: `QoS ${qos}`, play, points })
    expect(findings.all).toEqual({})
  })

  it.skipIf(missing)('breaks no promise of 5.0', { timeout: 30_000 + v5Points * 1000 }, async () => {
    const findings = await cutPower({ mode: `5.0, QoS ${qos}`, play: v5Play, points: v5Points })
    expect(findings.all).toEqual({})
  })

  it.skipIf(missing).for([
    ['', play],
    ['5.0, ', v5Play],
  ] as const)(
    'loses what a store that does not wait for the disk acknowledged: %s',
    { timeout: 60_000 },
    async ([version, played]) => {
      const mode = `${version}QoS ${qos}, a store that does not wait`
      const findings = await cutPower({ mode, play: played, mutant: 'does not wait', points: mutantPoints })
      expect([...findings.unopened]).toEqual([])
      expect(findings.lost.size).toBeGreaterThan(0)
    },
  )
})

describe('a power cut while a new folder is made', () => {
  it.skipIf(missing)('leaves one that opens: nothing has been promised yet', { timeout: 60_000 }, async () => {
    const random = new Random()
    const findings = new Findings()
    const run = await recordRun(new Scene(1, [], random))
    const cuts: Cuts = { run, random, findings, reader: new Reader(), looks: 0 }
    const moments = [...run.recording.moments].sort((a, b) => (a < b ? -1 : 1)).slice(0, firstMoments)
    for (const moment of moments) for (const remains of allRemains) await lookAt(moment, remains, cuts)
    await cuts.reader.end()
    report({ suite: 'power cut', mode: 'a new folder', rounds: cuts.looks, acknowledged: 0, findings })
    expect(findings.all).toEqual({})
  })
})

interface Plan {
  readonly mode: string
  play(random: Random): Play
  /** The looks end with its first loss. */
  readonly mutant?: Mutant
  readonly points: number
}

/** A run that is recorded, the power cut at many moments of it, and a look at what each cut left. */
async function cutPower({ mode, play, mutant, points }: Plan): Promise<Findings> {
  const random = new Random()
  const scene = play(random)
  const run = await recordRun(scene, mutant)
  const findings = new Findings()
  const cuts: Cuts = { run, random, findings, reader: new Reader(), looks: 0 }
  const moments = momentsOf(run, points, random)
  const patienceMs = mutant && mutantPatienceMs
  try {
    for (const moment of moments) {
      if (mutant && findings.lost.size > 0) break
      for (const remains of allRemains) {
        await lookAt(moment, remains, cuts, (broker) => scene.at(moment, findings).verify(broker, patienceMs))
      }
    }
  } finally {
    await cuts.reader.end()
  }
  report({ suite: 'power cut', mode, rounds: cuts.looks, acknowledged: scene.acknowledged, findings })
  return findings
}

interface Run {
  readonly scene: Play
  readonly recording: Recording
  readonly directory: string
  /** Between these moments everybody was there and busy. */
  readonly from: bigint
  readonly until: bigint
  /** What the broker's clock showed then. */
  readonly time: number
}

async function recordRun(scene: Play, mutant?: Mutant): Promise<Run> {
  const directory = mkdtempSync(join(folder, 'run-'))
  const log = `${directory}.log`
  const broker = new BrokerProcess([], {
    LD_PRELOAD: library,
    RECORD_FOLDER: directory,
    RECORD_LOG: log,
    RECORD_SYNC_DELAY_US: String(syncDelayMicroseconds),
    UV_USE_IO_URING: '0', // its writes would pass by the library
  })
  try {
    await broker.open({ directory, ...(mutant && { mutant }), ...(scene.isTimed && { now: firstMoment }) })
    await scene.begin(broker)
    await scene.load(broker)
    const from = now()
    await after(loadMs)
    const until = now()
    await broker.kill()
    await scene.lost()
    const recording = new Recording(log)
    expect(recording.isBlind).toBe(false)
    return { scene, recording, directory, from, until, time: broker.now }
  } finally {
    await broker.kill()
  }
}

/** Half of them when an acknowledgement had just come, half when something was written or synced. */
function momentsOf({ scene, recording, from, until }: Run, points: number, random: Random): readonly bigint[] {
  const within = (at: bigint): boolean => at > from && at < until
  const acknowledged = scene.answered.filter(within)
  const written = recording.moments.filter(within)
  return Array.from({ length: points }, (_, index) => random.pick(index % 2 === 0 ? acknowledged : written))
}

interface Cuts {
  readonly run: Run
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
  look: (broker: BrokerProcess) => Promise<void> = async () => {},
): Promise<void> {
  const { run, random, reader, findings } = cuts
  cuts.looks++
  const directory = mkdtempSync(join(folder, 'cut-'))
  for (const [path, bytes] of run.recording.filesAt(moment, remains, random)) {
    const file = join(directory, relative(run.directory, path))
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
  const data = join(directory, 'p0/data.mdb')
  const damage = existsSync(data) ? checkPages(data).damage : []
  if (damage.length > 0) findings.unopened.push(`${remains}, ${moment - run.from} ns after the load began: ${damage}`)
  const restartedAt = run.time + random.pick(downSeconds) * 1000
  try {
    await look(await reader.open({ directory, ...(run.scene.isTimed && { now: restartedAt }) }))
    await reader.close()
  } catch (error) {
    findings.unopened.push(`${remains}, ${moment - run.from} ns after the load began: ${error}`)
    await reader.end()
  }
  rmSync(directory, { recursive: true })
}

/** A broker's process that opens one folder after another; a new one when a folder was its end. */
class Reader {
  #broker: BrokerProcess | undefined

  async open(options: OpenOptions): Promise<BrokerProcess> {
    this.#broker ??= new BrokerProcess()
    await this.#broker.open(options)
    return this.#broker
  }

  async close(): Promise<void> {
    await this.#broker?.close()
  }

  async end(): Promise<void> {
    await this.#broker?.kill()
    this.#broker = undefined
  }
}
