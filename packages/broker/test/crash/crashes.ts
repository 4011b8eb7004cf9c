import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { QoS } from '@godwit/protocol'
import { BrokerProcess } from './broker-process.js'
import { type Figures, report } from './findings.js'
import { Random } from './random.js'
import { type Presence, Scene } from './scene.js'

export interface CrashPlan {
  readonly suite: string
  readonly mode: string
  readonly qos: QoS
  /** One subscriber each. */
  readonly presences: readonly Presence[]
  readonly rounds: number
  /** Ends the broker's process while it is under load, and resolves when it is gone. */
  crash(broker: BrokerProcess, random: Random): Promise<void>
}

/** Load, crash, restart, look; again and again on one data folder. */
export async function playCrashes({ suite, mode, qos, presences, rounds, crash }: CrashPlan): Promise<Figures> {
  const directory = mkdtempSync(join(tmpdir(), 'godwit-crash-'))
  const random = new Random()
  const scene = new Scene(qos, presences, random)
  let broker = new BrokerProcess()
  let next = broker
  let acknowledged = 0
  try {
    let port = await broker.open({ directory })
    await scene.begin(port)
    for (let round = 0; round < rounds; round++) {
      const before = scene.acknowledged
      next = new BrokerProcess() // starts while the other is busy
      await scene.load(port)
      await crash(broker, random)
      await scene.lost()
      acknowledged += scene.acknowledged - before
      broker = next
      port = await broker.open({ directory })
      await scene.verify(port)
    }
  } finally {
    await Promise.all([broker.kill(), next.kill()])
    rmSync(directory, { recursive: true })
  }
  const figures = { suite, mode, rounds, acknowledged, findings: scene.findings }
  report(figures)
  return figures
}
