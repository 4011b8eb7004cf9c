import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fileStore } from '../src/file-store.js'
import type { StoredPublish, StoredSession } from '../src/index.js'
import { publication } from './store.contract.js'

let folder: string
let count = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'godwit-recovery-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const newPath = (): string => join(folder, `${count++}.store`)

const sequence = fc.integer({ min: 1, max: 6 })
const id = fc.integer({ min: 1, max: 4 })
const step = fc.oneof(
  fc.record({ do: fc.constant('put' as const), sequence, bytes: fc.integer({ min: 0, max: 40 }), packetId: id }),
  fc.record({ do: fc.constant('remove' as const), sequence }),
  fc.record({ do: fc.constant('receive' as const), id }),
  fc.record({ do: fc.constant('release' as const), id }),
  fc.record({ do: fc.constant('flush' as const), wait: fc.boolean() }),
  fc.record({ do: fc.constant('reopen' as const) }),
  fc.record({ do: fc.constant('crash' as const), cut: fc.double({ min: 0, max: 1, noNaN: true }) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A store, and beside it what it should have. */
class Comparison {
  #path = newPath()
  #store = fileStore(this.#path)
  readonly #outgoing = new Map<number, StoredPublish>()
  readonly #received = new Set<number>()
  /** States that may be on the disk, oldest first; a flush that was awaited leaves one. */
  #states: StoredSession[] = []
  /** What no crash takes away from the file. */
  #safeBytes = 0

  async open(): Promise<StoredSession> {
    const session = sorted(await this.#store.load())
    this.#states = [session]
    this.#safeBytes = statSync(this.#path).size
    return session
  }

  async take(now: Step): Promise<void> {
    switch (now.do) {
      case 'put': {
        const payload = new Uint8Array(now.bytes).fill(now.bytes)
        const publish = publication(now.sequence, { payload, packetId: now.packetId })
        this.#outgoing.set(now.sequence, publish)
        return this.#store.putOutgoing(publish)
      }
      case 'remove':
        this.#outgoing.delete(now.sequence)
        return this.#store.removeOutgoing(now.sequence)
      case 'receive':
        this.#received.add(now.id)
        return this.#store.putReceived(now.id)
      case 'release':
        this.#received.delete(now.id)
        return this.#store.removeReceived(now.id)
      case 'flush':
        return this.#flush(now.wait)
      case 'reopen':
        return this.finish()
      case 'crash':
        return this.#crash(now.cut)
    }
  }

  /** Closed and opened again it has everything. */
  async finish(): Promise<void> {
    await this.#store.close()
    expect(await this.open()).toEqual(this.#model())
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #flush(wait: boolean): Promise<void> {
    const state = this.#model()
    this.#states.push(state)
    const flushed = this.#store.flush()
    if (!wait) return
    await flushed
    this.#states = [state]
    this.#safeBytes = statSync(this.#path).size
  }

  /** What was not synced is there in part. */
  async #crash(cut: number): Promise<void> {
    const bytes = readFileSync(this.#path)
    const possible = [...this.#states, this.#model()] // the store flushes by itself too
    const dead = this.#store
    this.#path = newPath()
    writeFileSync(this.#path, bytes.subarray(0, this.#safeBytes + Math.floor((bytes.length - this.#safeBytes) * cut)))
    this.#store = fileStore(this.#path)
    const found = await this.open()
    expect(possible).toContainEqual(found)
    this.#outgoing.clear()
    this.#received.clear()
    for (const publish of found.outgoing) this.#outgoing.set(publish.sequence, publish)
    for (const packetId of found.received) this.#received.add(packetId)
    await dead.close()
  }

  #model(): StoredSession {
    return sorted({ outgoing: [...this.#outgoing.values()], received: [...this.#received] })
  }
}

function sorted({ outgoing, received }: StoredSession): StoredSession {
  return {
    outgoing: outgoing.toSorted((a, b) => a.sequence - b.sequence),
    received: received.toSorted((a, b) => a - b),
  }
}

test('after a crash the file store has what was flushed, and what came later in whole batches or not at all', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const comparison = new Comparison()
      await comparison.open()
      for (const now of steps) await comparison.take(now)
      await comparison.finish()
      await comparison.close()
    }),
    { numRuns: 150 },
  )
})
