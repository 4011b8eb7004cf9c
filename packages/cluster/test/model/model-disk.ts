import { positionWrite, type Write } from '@godwit/broker/store/lmdb'

/** What a machine has on disk. */
export interface Disk {
  /** Lists of what was written under each name, in order. */
  readonly lists: Map<string, string>
  position: Uint8Array | undefined
}

/** The names that every write of a client goes to, in one commit: they must never differ. */
export const listNames = ['a', 'b', 'c'] as const

export function newDisk(): Disk {
  return { lists: new Map(), position: undefined }
}

export function copyOf({ lists, position }: Disk): Disk {
  return { lists: new Map(lists), position }
}

// The fact that a position is in begins with its checksum.
const { key: positionKey } = positionWrite(new Uint8Array(0))
const isPosition = ({ table, key }: Write): boolean => table === 'facts' && key.equals(positionKey)

/** Carries writes out on a disk, at once and whole. */
export function carryOut(disk: Disk, writes: readonly Write[]): void {
  for (const write of writes) {
    if (isPosition(write)) disk.position = write.value!.subarray(4)
    else if (write.value) disk.lists.set(write.key.toString(), Buffer.from(write.value).toString())
  }
}
