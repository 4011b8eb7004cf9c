import { BrokerError } from '../../errors.js'

/** What a backup says of itself: its last bytes, in words, behind the LMDB file. */
export interface BackupFooter {
  /** Of the data; see `folder.ts`. */
  readonly format: number
  /** ISO 8601. */
  readonly createdAt: string
  /** Of the LMDB file, which is all that goes before. */
  readonly bytes: number
  /** Of the LMDB file, in hex. */
  readonly sha256: string
}

/** A footer is always so long. */
export const footerBytes = 512

const form = /^godwit backup, format (\d+)\ncreated (\S+)\nbytes (\d+)\nsha256 ([0-9a-f]{64})\n *\n$/

export function writeFooter({ format, createdAt, bytes, sha256 }: BackupFooter): Buffer {
  const text = `godwit backup, format ${format}\ncreated ${createdAt}\nbytes ${bytes}\nsha256 ${sha256}\n`
  return Buffer.from(`${text.padEnd(footerBytes - 1)}\n`, 'latin1')
}

/** @throws BrokerError `backup-failed` where the file ends otherwise: it is none, or was cut short. */
export function readFooter(bytes: Uint8Array, file: string): BackupFooter {
  const [, format, createdAt, length, sha256] = form.exec(Buffer.from(bytes).toString('latin1')) ?? []
  if (sha256 === undefined) {
    throw new BrokerError('backup-failed', `${file} is no backup of godwit, or its end is missing; name another one`)
  }
  return { format: Number(format), createdAt: createdAt!, bytes: Number(length), sha256 }
}
