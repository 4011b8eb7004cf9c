import type { Stats } from 'node:fs'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'

interface Replacement {
  /** Of the new file. Default: those of the old one; 0600 where there was none. */
  readonly mode?: number
  /** Keeps the text before beside it, under the file's name with `.before`, with mode 0600. */
  readonly before?: Uint8Array
}

/**
 * Puts a text in the place of a file, whole or not at all; owner and permissions stay, and a link stays one.
 * @throws the system's error; the file is as it was then.
 */
export async function replaceFile(path: string, text: string | Uint8Array, options: Replacement = {}): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const old = await stat(target).catch(() => undefined)
  if (options.before) await put(`${target}.before`, options.before, 0o600, old)
  await put(target, text, options.mode ?? (old ? old.mode & 0o7777 : 0o600), old)
}

async function put(target: string, text: string | Uint8Array, mode: number, like: Stats | undefined): Promise<void> {
  const coming = `${target}.${process.pid}.new`
  const file = await open(coming, 'wx', 0o600)
  try {
    try {
      await file.writeFile(text)
      await giveTo(file, like)
      await file.chmod(mode) // after that: a change of owner takes some of it away
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(coming, target)
  } catch (error) {
    await rm(coming, { force: true })
    throw error
  }
}

/** Written by root for the broker's own user, it still is that user's to read. */
async function giveTo(file: FileHandle, like: Stats | undefined): Promise<void> {
  const { uid, gid } = await file.stat()
  if (like && (like.uid !== uid || like.gid !== gid)) await file.chown(like.uid, like.gid)
}
