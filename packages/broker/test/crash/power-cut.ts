import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { checkPages } from '../../src/store/lmdb/page-check.js'
import { BrokerProcess, type Mutant, type OpenOptions } from './broker-process.js'
import { Findings, report } from './findings.js'
import type { Lab } from './lab.js'
import { downSeconds, firstMoment, type Play } from './play.js'
import { Random } from './random.js'
import { allRemains, type Files, Recording, type Remains } from './recording.js'
import { now } from './timeline.js'

const loadMs = 250
/** What a sync takes on the disk that is played: long enough that an acknowledgement that did not wait is seen. */
const syncDelayMicroseconds = 2000
const mutantPatienceMs = 500

/** What is recorded, and at how many moments of it the power is cut. */
export interface PowerCutPlan {
  readonly suite?: string
  readonly mode: string
  play(random: Random): Play
  /** The looks end with its first loss. */
  readonly mutant?: Mutant
  readonly points: number
  /** What happens while everybody is busy. Default: a quarter of a second passes. */
  during?(broker: BrokerProcess, directory: string): Promise<void>
  /** What the broker's process is started with. */
  env?(directory: string): Readonly<Record<string, string>>
}

/** Records brokers and cuts their power, in a folder of its own. */
export class PowerCuts {
  readonly #lab: Lab

  constructor(lab: Lab) {
    this.#lab = lab
  }

  /** A run that is recorded, the power cut at many moments of it, and a look at what each cut left. */
  async play(plan: PowerCutPlan): Promise<Findings> {
    const { suite = 'power cut', mode, play, mutant, points } = plan
    const random = new Random()
    const scene = play(random)
    const run = await this.record(scene, plan)
    const findings = new Findings()
    const cuts = { run, random, findings, reader: new Reader(), looks: 0 }
    const patienceMs = mutant && mutantPatienceMs
    try {
      for (const moment of momentsOf(run, points, random)) {
        if (mutant && findings.lost.size > 0) break
        for (const remains of allRemains) {
          await this.lookAt(moment, remains, cuts, (broker) => scene.at(moment, findings).verify(broker, patienceMs))
        }
      }
    } finally {
      await cuts.reader.end()
    }
    report({ suite, mode, rounds: cuts.looks, acknowledged: scene.acknowledged, findings })
    return findings
  }

  async record(scene: Play, plan: Pick<PowerCutPlan, 'mutant' | 'during' | 'env'> = {}): Promise<Run> {
    const { mutant, during = () => after(loadMs), env } = plan
    const directory = this.#lab.directory('run')
    const { LD_PRELOAD = '', ...others } = env?.(directory) ?? {}
    const broker = new BrokerProcess([], { ...others, ...this.recorded(directory, LD_PRELOAD) })
    try {
      await broker.open({ directory, ...(mutant && { mutant }), ...(scene.isTimed && { now: firstMoment }) })
      await scene.begin(broker)
      await scene.load(broker)
      const from = now()
      await during(broker, directory)
      while (!scene.answered.some((at) => at > from)) await after(10) // on a machine that is busy with other things
      const until = now()
      await broker.kill()
      await scene.lost()
      return { scene, recording: this.recordingOf(directory), directory, from, until, time: broker.now }
    } finally {
      await broker.kill()
    }
  }

  /** What a process has to be started with that it is recorded. @param library another one, behind which the disk is. */
  recorded(directory: string, library = ''): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: `${this.#lab.library('record')} ${library}`.trim(),
      RECORD_FOLDER: directory,
      RECORD_LOG: `${directory}.log`,
      RECORD_SYNC_DELAY_US: String(syncDelayMicroseconds),
      UV_USE_IO_URING: '0', // its writes would pass by the library
    }
  }

  /** @param before what was in the folder. @throws Error when it is not known what was written. */
  recordingOf(directory: string, before?: Files): Recording {
    const recording = new Recording(`${directory}.log`, before)
    if (recording.isBlind) throw new Error('the store has written through a memory map')
    return recording
  }

  /** The folder as the cut left it, opened. */
  async lookAt(
    moment: bigint,
    remains: Remains,
    cuts: Cuts,
    look: (broker: BrokerProcess) => Promise<void> = async () => {},
  ): Promise<void> {
    const { run, random, reader, findings } = cuts
    cuts.looks++
    const directory = this.folderOf(run.recording.filesAt(moment, remains, random), run.directory)
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

  /** Writes what a cut left to a folder. @param recorded the folder that was recorded. */
  folderOf(files: Files, recorded: string): string {
    const directory = this.#lab.directory('cut')
    for (const [path, bytes] of files) {
      const file = join(directory, relative(recorded, path))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, bytes)
    }
    return directory
  }
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

interface Cuts {
  readonly run: Run
  readonly random: Random
  readonly findings: Findings
  readonly reader: Reader
  /** How many cuts were looked at. */
  looks: number
}

/** Half of them when an acknowledgement had just come, half when something was written or synced. */
function momentsOf({ scene, recording, from, until }: Run, points: number, random: Random): readonly bigint[] {
  const within = (at: bigint): boolean => at > from && at < until
  const acknowledged = scene.answered.filter(within)
  const written = recording.moments.filter(within)
  return Array.from({ length: points }, (_, index) => random.pick(index % 2 === 0 ? acknowledged : written))
}

/** A broker's process that opens one folder after another; a new one when a folder was its end. */
export class Reader {
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
