import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { setTimeout as after } from 'node:timers/promises'
import type { BrokerProcess } from './broker-process.js'

/** What a disk refuses, and how. */
export interface Refusal {
  readonly calls: 'writes' | 'syncs' | 'cuts'
  /** Every nth of them. */
  readonly every: number
  /** `half`: a write takes half of what it was given. */
  readonly with: 'EIO' | 'ENOSPC' | 'half'
  /** Only writes to this page of 4 KiB of any file. */
  readonly page?: number
}

/** As refuse.c numbers them. */
const calls = { writes: 1, syncs: 2, cuts: 4 } as const
const orderBytes = 24
const freeAt = 20

/** How long a disk that refuses may take to be asked so often. */
const patienceMs = 10_000

/** A disk that does what a test says while a broker runs on it: see refuse.c. */
export class BadDisk {
  readonly #orders: number
  /** What the broker's process has to be started with. */
  readonly env: Readonly<Record<string, string>>

  /** @param library of refuse.c. @param directory whose files it has. */
  constructor(library: string, directory: string) {
    const path = `${directory}.orders`
    writeFileSync(path, Buffer.alloc(orderBytes))
    this.#orders = openSync(path, 'r+')
    this.hasFree(undefined)
    this.env = {
      LD_PRELOAD: library,
      REFUSE_FOLDER: directory,
      REFUSE_ORDERS: path,
      UV_USE_IO_URING: '0', // its writes would pass by the library
    }
  }

  refuse({ calls: which, every, with: what, page = -1 }: Refusal): void {
    this.#write([calls[which], every, what === 'half' ? 0 : constants.errno[what], page, 0])
  }

  /** It says that it has so many bytes free; `undefined`: as many as it has. */
  hasFree(bytes: number | undefined): void {
    this.#write([bytes === undefined ? -1 : Math.floor(bytes / 1024)], freeAt)
  }

  /** From now on it takes everything. */
  recover(): void {
    this.#write([0])
  }

  get refused(): number {
    const orders = Buffer.alloc(orderBytes)
    readSync(this.#orders, orders, 0, orderBytes, 0)
    return orders.readInt32LE(16)
  }

  /** It has refused so often, or the broker is gone. @throws Error when nobody asks it. */
  async hasRefused(times: number, broker: Pick<BrokerProcess, 'isGone'>): Promise<void> {
    const until = performance.now() + patienceMs
    while (this.refused < times && !broker.isGone) {
      if (performance.now() > until) {
        throw new Error(`the disk was to refuse ${times} times, and did ${this.refused} times`)
      }
      await after(5)
    }
  }

  dispose(): void {
    closeSync(this.#orders)
  }

  #write(numbers: readonly number[], at = 0): void {
    writeSync(this.#orders, Buffer.from(Int32Array.from(numbers).buffer), 0, numbers.length * 4, at)
  }
}
