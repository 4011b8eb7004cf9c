import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { systemClock } from '@godwit/broker'
import { openCopy, positionWrite, restoreBackup } from '@godwit/broker/store/lmdb'
import { decodeFrame } from './frame/frame.js'
import type { LogServer } from './log/log-server.js'
import { LogWriter } from './log/log-writer.js'
import { decodePosition, encodePosition, type Position } from './log/position.js'
import { EngineUnfit } from './nats/connection.js'
import { pause } from './pause.js'

export interface ImportOptions {
  readonly server: LogServer
  /** A data folder that nobody uses: of a broker that ran alone, or a node's copy. It stays as it is, but for its upgrade. */
  readonly directory: string
  /** Begin anew although the cluster has data: what is in its log and not in this folder is given up. Default false. */
  readonly force?: boolean
}

const heartbeatMs = 1_000
/** By how much a new log begins behind the end of a copy: its last owner may have written that much more. */
const apart = 1_000_000_000

/**
 * Has the log of a cluster begin with the data of a folder: all nodes take it from a snapshot. No node should run, or it may claim the
 * log in between, which ends this.
 * @returns the frame that it begins at.
 * @throws EngineUnfit the cluster has data already; Fenced; BrokerError for the folder.
 */
export async function importData({ server, directory, force = false }: ImportOptions): Promise<number> {
  await server.ensure()
  const last = await server.last()
  const found = last && decodeFrame(last.bytes)
  const copied = await positionIn(directory)
  const isUnfinished = found?.kind === 'claim' && (await server.snapshots()).length === 0
  if (found && !isUnfinished && !force) {
    throw new EngineUnfit(
      'the cluster has data already: what is in its log would be given up; say --force to begin anew with this folder',
    )
  }
  // Who wrote the log that is lost may be there still: it must find neither its sequence nor an epoch below its own.
  if (!last && copied) await server.trim(copied.sequence + apart)
  const writer = new LogWriter({
    server,
    clock: systemClock,
    epoch: Math.max(found?.epoch ?? 0, copied?.epoch ?? 0) + 1,
    instance: randomBytes(16).toString('hex'),
    after: last?.sequence ?? 0,
    owner: { node: 'import', imported: true },
  })
  const position = await writer.claim()
  let isDone = false
  const beating = (async () => {
    while (!isDone) {
      await writer.heartbeat()
      await pause(systemClock, heartbeatMs)
    }
  })()
  try {
    const file = await copyWith(directory, encodePosition(position))
    try {
      await Promise.race([server.putSnapshot(file, position.sequence), beating])
    } finally {
      await rm(file, { force: true })
    }
  } finally {
    isDone = true
  }
  await beating
  await writer.release()
  return position.sequence
}

/** How far a node's copy has come; `undefined`: it is the data of a broker that ran alone. */
async function positionIn(directory: string): Promise<Position | undefined> {
  const copy = await openCopy(directory)
  try {
    const position = copy.position()
    return position && decodePosition(position)
  } finally {
    await copy.close()
  }
}

/** A backup of a folder, with another position in it, or none. */
async function copyWith(directory: string, position: Uint8Array | undefined): Promise<string> {
  const [file, between] = [`${directory}.copied`, `${directory}.between`]
  await rm(file, { force: true })
  await rm(between, { recursive: true, force: true })
  await backedUp(directory, file)
  await restoreBackup(file, between)
  await rm(file)
  const copy = await openCopy(between)
  try {
    await copy.apply([positionWrite(position)])
    await copy.backup(file)
  } finally {
    await copy.close()
    await rm(between, { recursive: true, force: true })
  }
  return file
}

async function backedUp(directory: string, file: string): Promise<void> {
  const copy = await openCopy(directory)
  try {
    await copy.backup(file)
  } finally {
    await copy.close()
  }
}

/**
 * Makes a data folder for a broker that runs alone of a node's copy, which nobody may be using.
 * @param to must be empty, or not be there.
 * @throws BrokerError
 */
export async function exportData(directory: string, to: string): Promise<void> {
  const file = await copyWith(directory, undefined)
  try {
    await restoreBackup(file, to)
  } finally {
    await rm(file, { force: true })
  }
}
