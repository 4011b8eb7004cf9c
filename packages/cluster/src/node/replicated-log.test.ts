import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Commit } from '@godwit/broker'
import { VirtualClock } from '@godwit/broker/testing'
import { expect, it } from 'vitest'
import type { LogServer, PublishAnswer } from '../log/log-server.js'
import { LogWriter } from '../log/log-writer.js'
import { ReplicatedLog } from './replicated-log.js'

/** An owner's log on a server that answers as it is told to. */
async function start() {
  const clock = new VirtualClock()
  let last = 0
  let speaks = true
  const server = { publish: async (): Promise<PublishAnswer> => (speaks ? ++last : 'silent') } as unknown as LogServer
  const writer = new LogWriter({ server, clock, epoch: 1, instance: 'a'.repeat(32), after: 0, owner: { node: 'a' } })
  const log = new ReplicatedLog(undefined, { clock, holdMs: 15_000 }).attach({ once: async () => {} })
  await writer.claim()
  log.begin(writer)
  return {
    log,
    writer,
    commit: () => log.append(1 as Commit, []),
    speak(so: boolean) {
      speaks = so
    },
    async pass(ms: number) {
      for (let at = 0; at < ms; at += 250) {
        await nextTurn()
        clock.advance(250)
      }
      await nextTurn()
    },
  }
}

it('is silent when a commit has waited for longer than anybody should, and no longer once it is safe', async () => {
  const { log, commit, speak, pass } = await start()
  await commit()
  await pass(60_000)
  expect(log.isSilent).toBe(false) // nothing waits
  speak(false)
  const late = commit()
  await pass(14_500)
  expect(log.isSilent).toBe(false)
  await pass(1_000)
  expect(log.isSilent).toBe(true)
  speak(true)
  await pass(1_000)
  await late
  expect(log.isSilent).toBe(false)
})

it('is silent too when nobody has answered its heartbeats, before anything waits', async () => {
  const { log, writer, speak, pass } = await start()
  speak(false)
  void writer.heartbeat().catch(() => {})
  await pass(16_000)
  expect(log.isSilent).toBe(true)
  writer.end()
})

it('writes nothing more that stands on a damaged record, where another node could go on', async () => {
  const { log, commit } = await start()
  log.found('shares: its checksum is wrong') // nobody else is there
  await commit()
  let told = 0
  log.hasOthers = () => true
  log.onDamaged = () => {
    told++
  }
  log.found('shares: its checksum is wrong')
  log.found('bodies: its checksum is wrong')
  await expect(commit()).rejects.toThrow('damaged (shares: its checksum is wrong)')
  expect(told).toBe(1)
})

it('is silent when the stream has no room for commits, though it takes heartbeats', async () => {
  const { log, writer, commit, pass } = await start()
  writer.mayCommit = () => new Promise(() => {})
  void commit()
  await pass(15_500)
  await writer.heartbeat()
  expect(log.isSilent).toBe(true)
})
