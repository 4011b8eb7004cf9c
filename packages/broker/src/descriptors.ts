import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Drops } from './drops.js'

/** Kept for what is no client: files that are read again, the control socket, metrics, requests of hooks. */
const mostReserved = 128
/** What a process of Node has open before the first client, with a store and a few listeners. */
const ownNeeds = 32
/** How often the limit is read again while it is reached: it can be raised under a running process (`prlimit`). */
const readAgainMs = 1_000

/** A socket as Node keeps it; -1 where a descriptor is no number of the process's, as on Windows. */
interface Described {
  readonly _handle?: { readonly fd?: number } | null
}

/**
 * Descriptors of the process (RLIMIT_NOFILE). Those that are left when clients have taken all but a few are not for clients:
 * where none is left at all, libuv closes new connections without a word, and no file can be opened.
 */
export class Descriptors {
  readonly #drops: Drops
  readonly #limitOf: () => number | undefined
  #most: number
  #readAt = performance.now()
  /** For how many connections it was told that there are too few. */
  #toldFor: number | undefined

  constructor(drops: Drops, limitOf: () => number | undefined = descriptorLimit) {
    this.#drops = drops
    this.#limitOf = limitOf
    this.#most = limitOf() ?? Number.POSITIVE_INFINITY
  }

  /**
   * What is wrong with the limit for so many connections, and what to do; the first time it is asked for so many.
   * @param each files that one takes. Default 1.
   */
  shortFor(maxConnections: number, each = 1): string | undefined {
    const needed = each * maxConnections + reservedOf(maxConnections * 4) + ownNeeds
    if (this.#toldFor === maxConnections || this.#most >= needed) return undefined
    this.#toldFor = maxConnections
    const room = Math.floor(Math.max(0, this.#most - reservedOf(this.#most) - ownNeeds) / each)
    return (
      `limits.maxConnections is ${maxConnections}, but this process may open only ${this.#most} files: there is room for about ` +
      `${room} connections, and those beyond are refused; raise it (ulimit -n ${needed}, or LimitNOFILE=${needed} in the ` +
      'systemd unit), or lower limits.maxConnections'
    )
  }

  /** Whether a connection that was accepted may stay. If not, it is closed, counted and told. */
  hasRoomFor(socket: Socket): boolean {
    // The system gives out the lowest number that is free, so the number says how many are taken.
    const fd = (socket as Described)._handle?.fd ?? -1
    if (fd < this.#most - reservedOf(this.#most) || fd < this.#again()) return true
    this.#drops.refused('descriptors', socket.remoteAddress ?? '', { why: outOfDescriptors(this.#most) })
    socket.on('error', () => {}).destroy()
    return false
  }

  /** Looks whether the process, or the machine, has run out of them altogether: then connections are lost unseen. */
  look(): void {
    try {
      closeSync(openSync(process.platform === 'win32' ? 'NUL' : '/dev/null', 'r'))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EMFILE' || code === 'ENFILE') this.#drops.acceptFailed(code)
    }
  }

  /** How many there are for all but what is kept back, after another look. */
  #again(): number {
    const now = performance.now()
    if (now - this.#readAt >= readAgainMs) {
      this.#readAt = now
      this.#most = this.#limitOf() ?? this.#most
    }
    return this.#most - reservedOf(this.#most)
  }
}

/** Of a small limit a quarter. */
const reservedOf = (most: number): number => (most === Number.POSITIVE_INFINITY ? 0 : Math.min(mostReserved, most >> 2))

const outOfDescriptors = (most: number): string =>
  `of the ${most} files this process may open too few are left; raise it with ulimit -n, or LimitNOFILE= in the systemd unit`

/** How many files the system lets this process open (the soft limit); `undefined`: any number, or nobody can tell. */
export function descriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? reportedLimit() : undefined
  }
}

/** Where there is no /proc. */
function reportedLimit(): number | undefined {
  if (process.platform === 'win32') return undefined
  const { report } = process as { report?: NodeJS.ProcessReport & { excludeNetwork?: boolean } }
  if (!report) return undefined
  const before = report.excludeNetwork
  report.excludeNetwork = true // it would look up names
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } }
  report.excludeNetwork = before ?? false
  const soft = Number(userLimits?.open_files?.soft)
  return Number.isSafeInteger(soft) ? soft : undefined
}
