import { existsSync, readdirSync } from 'node:fs'
import { lookAtFolder, openFolder } from './folder.js'
import { readU32, type SessionNumber, sessionKey } from './keys.js'
import { writeCount } from './records.js'
import { Check, type StoreCheck } from './store-check.js'
import { openTables, type TableName, type Write } from './tables.js'
import { unusable } from './unusable.js'

/** Written in one transaction. */
const bytesAtOnce = 4_194_304

/** Tables whose records belong to a session, whose number begins their keys. */
const ofSessions: ReadonlySet<TableName> = new Set(['shares', 'cursors', 'subscriptions', 'received'])

/**
 * Copies what is good in a data folder into a new one; the old one stays as it is. What was damaged is in the answer; sessions
 * whose own record is lost cannot be told from one another, and are left out with all that is theirs.
 * @throws BrokerError `store-failed`: the old folder is not there or in use, the new one is not empty or cannot be written.
 */
export async function repairStore(from: string, to: string): Promise<StoreCheck> {
  if (existsSync(to) && readdirSync(to).length > 0) throw unusable(to, 'is not empty; name a new one')
  const look = await lookAtFolder(from)
  try {
    const folder = await openFolder(to)
    const tables = openTables(folder.file)
    const sessions = new Set<SessionNumber>()
    const owners = new Set<SessionNumber>()
    let writes: Write[] = []
    let bytes = 0
    const flush = (): void => {
      tables.root.transactionSync(() => {
        for (const { table, key, value } of writes) tables[table].putSync(key, value as Buffer)
      })
      writes = []
      bytes = 0
    }
    const put = (write: Write): void => {
      writes.push(write)
      bytes += write.key.length + (write.value?.length ?? 0)
      if (bytes >= bytesAtOnce) flush()
    }
    try {
      const check = new Check(look, (table, key, value) => {
        if (table === 'sessions') sessions.add(readU32(key, 0))
        if (ofSessions.has(table)) owners.add(readU32(key, 0))
        put({ table, key, value })
      }).run()
      for (const number of owners) {
        const key = sessionKey(number)
        if (!sessions.has(number)) put({ table: 'ended', key, value: writeCount('ended', key, 0) })
      }
      flush()
      await tables.root.flushed
      return check
    } finally {
      await tables.root.close()
      folder.release('in order')
    }
  } finally {
    look.release()
  }
}
