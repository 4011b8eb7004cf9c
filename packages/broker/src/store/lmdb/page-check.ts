import { PageFile } from './page-file.js'
import { type EntryVisitor, type PageCheck, PageWalk } from './page-walk.js'
import { findSnapshot } from './snapshot.js'

export type { EntryVisitor, PageCheck, PageCounts, TableCheck } from './page-walk.js'

/**
 * Looks at everything in an LMDB file that LMDB relies on and does not check itself: given a damaged page, it ends the
 * process, or fails every commit. Values are not looked at, and no process may be writing to the file. Reads each page of
 * the trees and the head of each large value; takes two bits of memory a page.
 * @param onEntry given each entry of the tables, of pages that are sound.
 * @throws the system's error when the file cannot be opened, or its headers cannot be read.
 */
export function checkPages(path: string, onEntry?: EntryVisitor): PageCheck {
  const file = new PageFile(path)
  try {
    if (file.size === 0) return { ...nothing, damage: [], damages: 0 } // a new one
    const { meta, damage } = findSnapshot(file)
    return meta ? new PageWalk(file, meta, onEntry).run() : { ...nothing, damage: [damage], damages: 1 }
  } finally {
    file.close()
  }
}

const nothing = { pages: 0, pageSize: 0, commit: 0, tables: [], counts: { live: 0, free: 0, leaked: 0, file: 0 } }
