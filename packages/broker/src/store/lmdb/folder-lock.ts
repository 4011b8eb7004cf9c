import { createHash, randomBytes } from 'node:crypto'
import { closeSync, linkSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { isAnswered } from '../../unix-socket.js'
import { unusable } from './unusable.js'

/** Who uses a data folder: a process is told from a later one with the same pid by its start time and the boot it ran in. */
interface Holder {
  readonly pid: number
  readonly startedAt: string
  readonly bootId: string
  /** The name of a socket in the folder at which it answers until that has become `lock.sock`. */
  readonly socket?: string
}

/** A data folder is this process's alone. */
export interface FolderLock {
  /** The lock of a process that is gone was in the way. */
  readonly wasTakenOver: boolean
  release(): void
}

/** Others may take the lock, or give it back, while we look; nobody does so for ever. */
const mostAttempts = 20
/** Where files cannot be linked, another process may be about to write into a lock that it has made. */
const writingMs = 200
/** What file systems without hard links say. */
const noLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])
const socketName = /^lock\.[0-9a-f]{16}\.sock$/
/** What processes that ended in the middle of it have left. */
const remains = /^lock\.(claim-[0-9a-f]{32}|[0-9a-f]{16}\.(sock|new))$/

/**
 * Locks a data folder by two files: `lock` names the holder, and `lock.sock` answers as long as it lives, also a process
 * that does not see the holder, as in another container with the same volume. Of several processes that meet the lock of one
 * that is gone, one takes it over: whoever is first to make a file named by what that lock says.
 * @throws BrokerError `store-failed`: in use; its lock cannot be read; not writable (with the system's error as its cause).
 */
export async function lockFolder(directory: string): Promise<FolderLock> {
  const places = new Places(directory)
  let server: Server | undefined
  try {
    await refuseHeld(places, places.read())
    const name = `lock.${randomName()}.sock`
    server = await places.listen(name) // before anybody can read that it is ours
    const ours = JSON.stringify({ ...holderOf(process.pid), ...(server && { socket: name }), nonce: randomName() })
    const wasTakenOver = await take(places, ours)
    if (server) renameSync(join(directory, name), join(directory, 'lock.sock'))
    for (const name of readdirSync(directory)) if (remains.test(name)) rmSync(join(directory, name), { force: true })
    return { wasTakenOver, release: () => release(places, server, ours) }
  } catch (error) {
    places.close(server)
    throw error
  }
}

function release(places: Places, server: Server | undefined, ours: string): void {
  rmSync(join(places.directory, 'lock.sock'), { force: true })
  places.close(server)
  if (places.read() === ours) rmSync(places.lock, { force: true })
}

/** True: another was in the way, of a process that is gone. */
async function take(places: Places, ours: string): Promise<boolean> {
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    if (make(places, places.lock, ours)) return false
    const theirs = places.read()
    await refuseHeld(places, theirs)
    if (theirs !== undefined && (await takeOver(places, places.lock, theirs, ours))) return true
  }
  throw beingOpened(places)
}

async function refuseHeld(places: Places, text: string | undefined): Promise<void> {
  const { socket, ...holder }: Partial<Holder> = holderIn(text) ?? {}
  if (isAlive(holder)) throw inUse(places, `process ${holder.pid}`)
  if ((socket === undefined || !(await places.answers(socket))) && !(await places.answers('lock.sock'))) return
  const now: Partial<Holder> = holderIn(places.read()) ?? {} // it may have been taken since we read it, by one that can be seen
  throw inUse(places, isAlive(now) ? `process ${now.pid}` : 'a process of another container')
}

/**
 * Puts our lock in the place of one whose holder is gone. The right to do so is a file whose name comes from what the lock
 * says, so that it is the right to replace this one and no other; who has it moves our lock over the other, and at no
 * moment is there none. False: the lock is another meanwhile.
 */
async function takeOver(places: Places, lock: string, theirs: string, ours: string): Promise<boolean> {
  if (holderIn(theirs) === undefined) await wait(writingMs)
  const claim = `${places.lock}.claim-${createHash('sha256').update(lock).update(theirs).digest('hex').slice(0, 32)}`
  if (!make(places, claim, ours)) {
    const first = readText(places, claim)
    if (first === undefined) return false
    const { socket, ...claimant }: Partial<Holder> = holderIn(first) ?? {}
    if (isAlive(claimant) || (socket !== undefined && (await places.answers(socket)))) throw beingOpened(places)
    if (!(await takeOver(places, claim, first, ours))) return false // its right was that of a process that is gone too
  }
  try {
    if (readText(places, lock) !== theirs) return false
    const coming = nameBeside(places)
    writeFileSync(coming, ours, { flag: 'wx', mode: 0o600 })
    renameSync(coming, lock)
    return true
  } finally {
    rmSync(claim, { force: true })
  }
}

/** A file is there with all that it says, or not at all. False: there is one already. */
function make(places: Places, path: string, text: string): boolean {
  const coming = nameBeside(places)
  try {
    writeFileSync(coming, text, { flag: 'wx', mode: 0o600 })
    linkSync(coming, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return false // ENOENT: who has won has cleared it away
    if (!noLinks.has(codeOf(error))) throw error
  } finally {
    rmSync(coming, { force: true })
  }
  return makeWithoutLink(path, text)
}

/** For a moment it is empty: whoever sees that and takes it over makes the file that is read here another. */
function makeWithoutLink(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
    return readFileSync(path, 'utf8') === text
  } catch (error) {
    if (codeOf(error) === 'EEXIST' || codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/** Where the lock and its sockets are. */
class Places {
  readonly directory: string
  readonly lock: string
  /** The path of a Unix socket has 107 bytes; through the folder's descriptor it is short. */
  readonly #folder: number | undefined

  constructor(directory: string) {
    this.directory = directory
    this.lock = join(directory, 'lock')
    this.#folder = process.platform === 'linux' ? openSync(directory, 'r') : undefined
  }

  /** What the lock says; `undefined`: there is none. */
  read(): string | undefined {
    return readText(this, this.lock)
  }

  async answers(name: string): Promise<boolean> {
    const path = this.#shortPath(name)
    return path !== undefined && isAnswered(path)
  }

  /** `undefined` on file systems that have no sockets: there the pid has to do. */
  async listen(name: string): Promise<Server | undefined> {
    const path = this.#shortPath(name)
    if (path === undefined) return undefined
    const server = createServer((socket) => socket.destroy())
    const address = await new Promise<AddressInfo | string | null>((resolve) => {
      server.once('error', () => resolve(null))
      server.listen({ path }, () => resolve(server.address()))
    })
    server.unref()
    server.on('error', () => {})
    return address === null ? undefined : server
  }

  close(server: Server | undefined): void {
    server?.close() // takes its file away, by the folder's descriptor, where it still has its first name
    if (this.#folder !== undefined) closeSync(this.#folder)
  }

  /** Windows has no sockets in folders. */
  #shortPath(name: string): string | undefined {
    if (this.#folder !== undefined) return `/proc/self/fd/${this.#folder}/${name}`
    const path = join(this.directory, name)
    return process.platform === 'win32' || Buffer.byteLength(path) > 100 ? undefined : path
  }
}

/** `undefined`: it is not there. */
function readText({ directory }: Places, path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    const todo = `let this user read ${path}, or remove it when no process uses the folder`
    throw unusable(directory, `has a lock that cannot be read (${codeOf(error)}); ${todo}`, error)
  }
}

/** `undefined`: cut short by a crash, or no lock of ours; nobody holds it. */
function holderIn(text = ''): Holder | undefined {
  try {
    const { pid, startedAt, bootId, socket } = JSON.parse(text) as Partial<Record<keyof Holder, unknown>>
    if (!Number.isSafeInteger(pid) || Number(pid) <= 0) return undefined
    const isOurs = typeof socket === 'string' && socketName.test(socket)
    return { pid: Number(pid), startedAt: String(startedAt), bootId: String(bootId), ...(isOurs && { socket }) }
  } catch {
    return undefined
  }
}

function isAlive({ pid, startedAt, bootId }: Partial<Holder>): boolean {
  const now = pid === undefined ? undefined : holderOf(pid)
  return now !== undefined && now.startedAt === startedAt && now.bootId === bootId
}

/** From /proc where there is one; elsewhere a pid that answers counts as the holder. */
function holderOf(pid: number): Holder | undefined {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return undefined
  }
  // Fields 3 and 22 of /proc/PID/stat; the name in field 2 may hold anything but ends at the last parenthesis.
  const fields = readOr(`/proc/${pid}/stat`, '').split(') ').at(-1)?.split(' ') ?? []
  if (fields[0] === 'Z') return undefined // it has ended, and its parent has not asked how
  return { pid, startedAt: fields[19] ?? '', bootId: readOr('/proc/sys/kernel/random/boot_id', '') }
}

export function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return otherwise
  }
}

const randomName = (): string => randomBytes(8).toString('hex')

const nameBeside = ({ lock }: Places): string => `${lock}.${randomName()}.new`

function inUse({ directory }: Places, who: string): Error {
  return unusable(directory, `is in use by ${who}; end that process or choose another folder`)
}

function beingOpened({ directory }: Places): Error {
  return unusable(directory, 'is being opened by another process at this moment; try again')
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}
