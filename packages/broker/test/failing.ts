import { Duplex } from 'node:stream'
import type { Commit } from '../src/commit.js'
import type { SessionStore } from '../src/index.js'
import { SteppedStore } from './stepped-store.js'

/** What a store does for one session; with `queue.`, its queue. */
type Deed =
  | 'connected'
  | 'disconnected'
  | 'delete'
  | 'setSubscription'
  | 'queue.put'
  | 'queue.get'
  | 'queue.delete'
  | 'setWill'

/** A store that fails in one thing, for one client alone, while it is told to. */
export class FailingStore extends SteppedStore {
  fails: Deed | undefined
  readonly #victim: string

  constructor(victim: string) {
    super()
    this.#victim = victim
  }

  override session(clientId: string): SessionStore {
    const own = super.session(clientId)
    if (clientId !== this.#victim) return own
    for (const name of ['put', 'get', 'delete'] as const) this.#arm(own.queue, name, `queue.${name}`)
    for (const name of ['connected', 'disconnected', 'delete', 'setSubscription'] as const) this.#arm(own, name, name)
    return own
  }

  override readonly setWill = (clientId: string): Commit => {
    if (clientId === this.#victim) this.#failAt('setWill')
    return this.check()
  }

  #arm(of: object, name: string, deed: Deed): void {
    const real = (Reflect.get(of, name) as (...args: unknown[]) => unknown).bind(of)
    const value = (...args: unknown[]): unknown => {
      this.#failAt(deed)
      return real(...args)
    }
    Object.defineProperty(of, name, { value })
  }

  #failAt(deed: Deed): void {
    if (this.fails === deed) throw new Error(`injected: ${deed}`)
  }
}

/** A stream in front of another that fails in one thing, or takes nothing, while it is told to. */
export class FailingStream extends Duplex {
  fails: 'write' | 'resume' | 'end' | undefined
  readonly #behind: Duplex
  #holds = false
  #held: (() => void) | undefined

  constructor(behind: Duplex) {
    super()
    this.#behind = behind
    behind.on('data', (chunk: Buffer) => void this.push(chunk))
    behind.on('end', () => void this.push(null))
    behind.on('close', () => this.destroy())
    this.on('finish', () => behind.end())
  }

  /** Nothing of what is written is taken. */
  set holds(holds: boolean) {
    this.#holds = holds
    if (!holds) this.#held?.()
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#behind.write(Buffer.from(chunk))
    if (this.#holds) this.#held = done
    else done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#behind.destroy()
    done(error)
  }

  override write(...args: unknown[]): boolean {
    this.#failAt('write')
    return super.write(...(args as Parameters<Duplex['write']>))
  }

  override resume(): this {
    this.#failAt('resume')
    return super.resume()
  }

  override end(...args: unknown[]): this {
    this.#failAt('end')
    return super.end(...(args as []))
  }

  #failAt(deed: 'write' | 'resume' | 'end'): void {
    if (this.fails === deed) throw new Error(`injected: ${deed}`)
  }
}
