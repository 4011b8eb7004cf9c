// Locks a folder at a given moment, as often as its parent asks, and says whether it has it; gives it back when told.
import { lockFolder } from '../../dist/store/lmdb/folder-lock.js'

/** @type {import('../../dist/store/lmdb/folder-lock.js').FolderLock | undefined} */
let lock
process.on('message', async (/** @type {{ directory: string, at: number } | 'release'} */ told) => {
  if (told === 'release') {
    lock?.release()
    lock = undefined
    return process.send?.('released')
  }
  while (Date.now() < told.at); // all at once
  try {
    lock = await lockFolder(told.directory)
    process.send?.(lock.wasTakenOver ? 'taken over' : 'taken')
  } catch (error) {
    process.send?.(error instanceof Error ? error.message : String(error))
  }
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
