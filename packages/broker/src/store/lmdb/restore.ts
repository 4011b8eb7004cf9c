import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, readdirSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BrokerError, systemReason } from '../../errors.js'
import { type BackupFooter, footerBytes, readFooter } from './backup-footer.js'
import { format, settleData } from './folder.js'
import { unusable } from './unusable.js'

/**
 * Makes a data folder of a backup; the backup stays as it is.
 * @throws BrokerError `store-failed`: the folder is not empty, or cannot be written; `backup-failed`: it is no backup, is not as
 * it was written, or is of a newer version.
 */
export async function restoreBackup(backup: string, directory: string): Promise<BackupFooter> {
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw unusable(directory, 'is not empty; name a new one, or move away what is in it')
  }
  const footer = await footerOf(backup)
  if (footer.format > format) {
    throw new BrokerError(
      'backup-failed',
      `${backup} was written by a newer version (format ${footer.format}, this one reads ${format}); use that version`,
    )
  }
  await settleData(directory, footer.format, async (file) => {
    const coming = `${file}.new`
    try {
      if ((await copied(backup, footer.bytes, coming)) !== footer.sha256) {
        throw new BrokerError('backup-failed', `${backup} is not as it was written; name another one`)
      }
      await rename(coming, file)
    } catch (error) {
      await rm(coming, { force: true })
      throw error
    }
  })
  return footer
}

async function footerOf(backup: string): Promise<BackupFooter> {
  try {
    const file = await open(backup)
    try {
      const { size } = await file.stat()
      const { buffer, bytesRead } = await file.read(
        Buffer.alloc(footerBytes),
        0,
        footerBytes,
        Math.max(0, size - footerBytes),
      )
      const footer = readFooter(buffer.subarray(0, bytesRead), backup)
      if (footer.bytes + footerBytes !== size) readFooter(new Uint8Array(), backup)
      return footer
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof BrokerError) throw error
    throw new BrokerError('backup-failed', `cannot read ${backup}: ${systemReason(error)}`, { cause: error })
  }
}

/** @returns its SHA-256, in hex. */
async function copied(backup: string, bytes: number, to: string): Promise<string> {
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform(chunk, _, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  const from = bytes === 0 ? [] : createReadStream(backup, { end: bytes - 1, highWaterMark: 1_048_576 })
  await pipeline(from, hashing, createWriteStream(to, { mode: 0o600, flush: true }))
  return hash.digest('hex')
}
