import { setTimeout as after } from 'node:timers/promises'
import type { QoS } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { BadDisk } from './bad-disk.js'
import type { BrokerProcess } from './broker-process.js'
import { Findings, report } from './findings.js'
import { Lab } from './lab.js'
import type { Play } from './play.js'
import { PowerCuts, Reader } from './power-cut.js'
import { Random } from './random.js'
import { allRemains } from './recording.js'
import { Scene } from './scene.js'
import { V5Scene } from './v5-scene.js'

const points = Number(process.env.GODWIT_TEST_POWER_CUTS ?? 25)
const v5Points = Number(process.env.GODWIT_TEST_V5_POWER_CUTS ?? 5)
/** For a store that does not wait: the looks end with the first loss. */
const mutantPoints = 10
/** Moments from the first on at which a new folder is cut. */
const firstMoments = 25

const lab = new Lab('power-cut')
const { missing } = lab
const cuts = new PowerCuts(lab)

describe.for<QoS>([1, 2])('a power cut under QoS %i load', (qos) => {
  const play = (random: Random): Play => new Scene(qos, ['offline', 'mid-handshake'], random)
  const v5Play = (random: Random): Play => new V5Scene(qos, random)

  it.skipIf(missing)('loses nothing that was acknowledged', { timeout: 30_000 + points * 1000 }, async () => {
    const findings = await cuts.play({ mode: `QoS ${qos}`, play, points })
    expect(findings.all).toEqual({})
  })

  it.skipIf(missing)('breaks no promise of 5.0', { timeout: 30_000 + v5Points * 1000 }, async () => {
    const findings = await cuts.play({ mode: `5.0, QoS ${qos}`, play: v5Play, points: v5Points })
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
      const findings = await cuts.play({ mode, play: played, mutant: 'does not wait', points: mutantPoints })
      expect([...findings.unopened]).toEqual([])
      expect(findings.lost.size).toBeGreaterThan(0)
    },
  )
})

describe('a power cut while a new folder is made', () => {
  it.skipIf(missing)('leaves one that opens: nothing has been promised yet', { timeout: 60_000 }, async () => {
    const random = new Random()
    const findings = new Findings()
    const run = await cuts.record(new Scene(1, [], random))
    const looks = { run, random, findings, reader: new Reader(), looks: 0 }
    const moments = [...run.recording.moments].sort((a, b) => (a < b ? -1 : 1)).slice(0, firstMoments)
    for (const moment of moments) for (const remains of allRemains) await cuts.lookAt(moment, remains, looks)
    await looks.reader.end()
    report({ suite: 'power cut', mode: 'a new folder', rounds: looks.looks, acknowledged: 0, findings })
    expect(findings.all).toEqual({})
  })
})

describe.skipIf(missing)('a power cut on a disk that is not well', () => {
  const play = (random: Random): Play => new Scene(1, ['offline', 'mid-handshake'], random)
  const some = Math.ceil(points / 3)
  let disk: BadDisk
  const env = (directory: string): Readonly<Record<string, string>> => {
    disk = new BadDisk(lab.library('refuse'), directory)
    return disk.env
  }

  it('loses nothing that was acknowledged between syncs that failed', { timeout: 30_000 + some * 1000 }, async () => {
    const during = async (broker: BrokerProcess): Promise<void> => {
      disk.refuse({ calls: 'syncs', every: 3, with: 'EIO' })
      await disk.hasRefused(10, broker)
      disk.dispose()
    }
    const findings = await cuts.play({ mode: 'every 3rd sync fails', play, points: some, env, during })
    expect(findings.all).toEqual({})
  })

  it('loses nothing that was acknowledged between headers that were refused', {
    timeout: 30_000 + some * 1000,
  }, async () => {
    const during = async (broker: BrokerProcess): Promise<void> => {
      disk.refuse({ calls: 'writes', every: 3, page: 0, with: 'EIO' })
      await disk.hasRefused(8, broker)
      disk.dispose()
    }
    const findings = await cuts.play({ mode: 'every 3rd header fails', play, points: some, env, during })
    expect(findings.all).toEqual({})
  })

  it('loses nothing that was acknowledged around its reserve', { timeout: 30_000 + some * 1000 }, async () => {
    const during = async (): Promise<void> => {
      for (let times = 0; times < 2; times++) {
        disk.hasFree(1_000_000)
        await after(100)
        disk.hasFree(undefined)
        await after(1_100) // the broker looks once a second
      }
      disk.dispose()
    }
    // What is new would be refused.
    const play = (random: Random): Play => new Scene(1, ['offline', 'mid-handshake'], random, false)
    const findings = await cuts.play({ mode: 'around the reserve', play, points: some, env, during })
    expect(findings.all).toEqual({})
  })
})
