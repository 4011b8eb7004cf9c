import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { isAnswered } from '../../unix-socket.js'
import { unusable } from './unusable.js'

/** Who uses a data folder: a process is told from a later one with the same pid by its start time and the boot it ran in. */
interface Holder {
  readonly pid: number
  readonly startedAt: string
  readonly bootId: string
}

/** A data folder is this process's alone. */
export interface FolderLock {
  /** The lock of a process that is gone was in the way. */
  readonly wasTakenOver: boolean
  release(): void
}

/**
 * Locks a data folder by two files: `lock` names the holder, and `lock.sock` answers as long as it lives, also a process
 * that does not see the holder, as in another container with the same volume.
 * @throws BrokerError `store-failed`: in use; not writable (with the system's error as its cause).
 */
export async function lockFolder(directory: string): Promise<FolderLock> {
  const lock = join(directory, 'lock')
  const holder = readHolder(lock)
  if (holder && isAlive(holder)) throw inUse(directory, `process ${holder.pid}`)
  const socket = shortPath(directory, 'lock.sock')
  if (socket && (await isAnswered(socket.path))) {
    socket.release()
    throw inUse(directory, 'a process of another container')
  }
  const wasTakenOver = take(directory, lock)
  const server = socket && (await listen(socket.path))
  return {
    wasTakenOver,
    release() {
      server?.close()
      rmSync(join(directory, 'lock.sock'), { force: true })
      socket?.release()
      rmSync(lock, { force: true })
    },
  }
}

/** True: another was in the way, of a process that is gone. */
function take(directory: string, lock: string): boolean {
  const line = JSON.stringify(holderOf(process.pid))
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(lock, line, { flag: 'wx' })
      return attempt > 0
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    const holder = readHolder(lock)
    if (holder && isAlive(holder)) throw inUse(directory, `process ${holder.pid}`)
    rmSync(lock, { force: true })
  }
  throw unusable(directory, 'is being opened by another process at this moment; try again')
}

function readHolder(lock: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Holder
  } catch {
    return undefined // not there, or cut short by a crash: nobody holds it
  }
}

function isAlive(holder: Holder): boolean {
  const now = holderOf(holder.pid)
  return now !== undefined && now.startedAt === holder.startedAt && now.bootId === holder.bootId
}

/** From /proc where there is one; elsewhere a pid that answers counts as the holder. */
function holderOf(pid: number): Holder | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return undefined
  }
  return { pid, startedAt: startOf(pid), bootId: readOr('/proc/sys/kernel/random/boot_id', '') }
}

/** Field 22 of /proc/PID/stat; the name in field 2 may hold anything but ends at the last parenthesis. */
function startOf(pid: number): string {
  return readOr(`/proc/${pid}/stat`, '').split(') ').at(-1)?.split(' ')[19] ?? ''
}

export function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return otherwise
  }
}

/** The path of a Unix socket has 107 bytes; through the folder's descriptor it is short. Windows has none in folders. */
function shortPath(directory: string, name: string): { readonly path: string; release(): void } | undefined {
  if (process.platform === 'win32') return undefined
  const path = join(directory, name)
  if (process.platform !== 'linux') return Buffer.byteLength(path) > 100 ? undefined : { path, release() {} }
  const folder = openSync(directory, 'r')
  return { path: `/proc/self/fd/${folder}/${name}`, release: () => closeSync(folder) }
}

/** `undefined` on file systems that have no sockets: there the pid has to do. */
async function listen(path: string): Promise<Server | undefined> {
  rmSync(path, { force: true })
  const server = createServer((socket) => socket.destroy())
  const address = await new Promise<AddressInfo | string | null>((resolve) => {
    server.once('error', () => resolve(null))
    server.listen({ path }, () => resolve(server.address()))
  })
  server.unref()
  server.on('error', () => {})
  return address === null ? undefined : server
}

function inUse(directory: string, who: string): Error {
  return unusable(directory, `is in use by ${who}; end that process or choose another folder`)
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
