import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrokerOptions, type InsideMessage, memoryStore } from '../src/index.js'
import { lmdbStore } from '../src/store/lmdb/index.js'
import { VirtualClock } from '../src/testing/index.js'
import { type Rig, startRig } from './rig.js'

/** A broker on disk that can be started again, in order or after a crash; or in memory, which cannot. */
export class InsideRig {
  rig!: Rig
  readonly #kind: 'memory' | 'lmdb'
  readonly #root = mkdtempSync(join(tmpdir(), 'godwit-inside-'))
  #life = 0
  #now = Date.UTC(2026, 0, 1)

  constructor(kind: 'memory' | 'lmdb') {
    this.#kind = kind
  }

  async open(options: BrokerOptions = {}): Promise<Rig> {
    const store = this.#kind === 'memory' ? memoryStore() : lmdbStore({ directory: join(this.#root, `${this.#life}`) })
    this.rig = await startRig({ store, clock: new VirtualClock(this.#now), ...options })
    return this.rig
  }

  /** The broker ends in order, and is gone for a while. */
  async restart(seconds = 0, options: BrokerOptions = {}): Promise<Rig> {
    await this.rig.broker.close()
    this.#now += seconds * 1000
    return this.open(options)
  }

  /** The process dies with what is on disk now; another one comes. */
  async crash(options: BrokerOptions = {}): Promise<Rig> {
    const from = join(this.#root, `${this.#life++}`)
    const to = join(this.#root, `${this.#life}`)
    cpSync(from, to, { recursive: true, filter: (path) => !/lock(\.sock)?$/.test(path) })
    await this.rig.broker.close()
    return this.open(options)
  }

  async dispose(): Promise<void> {
    await this.rig.broker.close()
    rmSync(this.#root, { recursive: true })
  }
}

/** A message in words: `a "x" qos 1 number 7 retain dup`. */
export function lineOf({ topic, text, qos, number, retain, dup, identifiers }: InsideMessage): string {
  const id = qos > 0 ? ` qos ${qos} number ${number}` : ''
  const by = identifiers.length > 0 ? ` by ${identifiers.join(',')}` : ''
  return `${topic} "${text()}"${id}${retain ? ' retain' : ''}${dup ? ' dup' : ''}${by}`
}

/** The next so many of an iteration; the last is not acknowledged, before more is asked for. */
export async function take(messages: AsyncIterator<InsideMessage>, count: number): Promise<string[]> {
  const lines: string[] = []
  while (lines.length < count) {
    const { done, value } = await messages.next()
    if (done) return [...lines, 'done']
    lines.push(lineOf(value))
  }
  return lines
}
