import type { Logger } from '../../log.js'
import { CommitTurns } from './commit-turns.js'
import { openFolder } from './folder.js'
import { quietLmdb } from './quiet-lmdb.js'
import { closeTables, openTables, type Tables } from './tables.js'
import { unreadable } from './unusable.js'

/** A data folder that is this process's alone, and its tables. */
export interface OpenData {
  readonly directory: string
  /** The file of the tables. */
  readonly file: string
  readonly tables: Tables
  /** Of commits to the file, and of those that open it. */
  readonly turns: CommitTurns
  /**
   * Closes the tables and gives the folder back.
   * @param end whether all was written out: if not, the file is looked through before it is opened again.
   * @param refuses the last commit has failed: it is not waited for.
   */
  close(end: 'in order' | 'not in order', refuses?: boolean): Promise<void>
}

/**
 * Opens a data folder, or makes one. As long as it is open lmdb writes nothing to stderr: a commit that fails is told by whoever waits
 * for it.
 * @throws BrokerError `store-failed`: in use, of a newer format, not writable; `store-damaged`.
 */
export async function openData(directory: string, log?: Logger): Promise<OpenData> {
  const loud = quietLmdb(() => {})
  try {
    const folder = await openFolder(directory, log)
    const { file } = folder
    const tables = tablesOf(file, directory, () => folder.release('not in order'))
    return {
      ...{ directory, file, tables, turns: new CommitTurns() },
      async close(end, refuses = false) {
        await closeTables(tables, refuses)
        folder.release(end)
        loud()
      },
    }
  } catch (error) {
    loud()
    throw error
  }
}

function tablesOf(file: string, directory: string, onFailed: () => void): Tables {
  try {
    return openTables(file)
  } catch (error) {
    onFailed()
    throw unreadable(directory, error)
  }
}
