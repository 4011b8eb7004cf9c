import { statfsSync } from 'node:fs'

/** LMDB's own words for a file that is not as it should be (lmdb.h). */
const damageCodes: ReadonlySet<unknown> = new Set([
  -30797, // a page is not where it should be
  -30796, // a page is of the wrong kind
  -30793, // no LMDB file
  -30784, // a database has changed its kind
  -30779, // unexpected problem
])

/** Whether an error of lmdb means that the file is damaged, so that trying again is of no use. */
export function isDamage(error: unknown): boolean {
  return damageCodes.has((error as { code?: unknown } | undefined)?.code)
}

/** Whether lmdb could not read at all: that says nothing of what is stored. */
export function isUnread(error: unknown): boolean {
  return typeof (error as { code?: unknown } | undefined)?.code === 'number' && !isDamage(error)
}

/** On a full disk lmdb may say no more than "Input/output error": the room that is left says more. */
export function inWords(cause: unknown, directory: string): string {
  const words = cause instanceof Error ? cause.message : String(cause)
  try {
    const { bavail, bsize } = statfsSync(directory)
    return `${words}; ${bavail * bsize} bytes are free in ${directory}`
  } catch {
    return words // the folder cannot be looked at either
  }
}
