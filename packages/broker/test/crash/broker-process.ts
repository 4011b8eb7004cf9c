import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { LmdbStoreOptions } from '../../src/store/lmdb/index.js'
import type { mutants } from './mutant-store.mjs'

/** See mutant-store.mjs. */
export type Mutant = keyof typeof mutants

export type Step = Parameters<NonNullable<LmdbStoreOptions['onStep']>>[0]

export interface OpenOptions {
  readonly directory: string
  /** The store breaks this promise: what a proof must not believe. */
  readonly mutant?: Mutant
  /** What the broker's clock shows, in epoch ms: it stands still but for {@link BrokerProcess.pass}. Default: the real time. */
  readonly now?: number
}

/** The process kills itself when it comes to this step for the nth time from now. */
export interface Death {
  readonly step: Step
  readonly visit: number
}

/** What the child is told. */
export type Command =
  | ({ readonly type: 'open' } & OpenOptions)
  | ({ readonly type: 'die-at' } & Death)
  | { readonly type: 'pass'; readonly ms: number }
  | { readonly type: 'tell' }
  | { readonly type: 'close' }

type Answer =
  | { readonly type: 'open'; readonly port: number; readonly pid: number }
  | { readonly type: 'passed' }
  | { readonly type: 'told'; readonly lines: readonly string[] }
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly why: string }

const program = fileURLToPath(new URL('./child-broker.mjs', import.meta.url))
const built = fileURLToPath(new URL('../../dist/store/lmdb/index.js', import.meta.url))

/** A broker in a process of its own, which can be killed. It runs what is built, since no test runner loads it. */
export class BrokerProcess {
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>
  readonly #child: ChildProcess
  #port = 0
  #now = 0
  #pid: number | undefined
  #isGone = false
  #complaints = ''

  /** @param wrapper a command that runs the broker's: a tracer. @param env what it sees besides this process's. */
  constructor(wrapper: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
    if (!existsSync(built)) throw new Error(`${built} is not there: build before testing (npm run build)`)
    const [command = '', ...args] = [...wrapper, process.execPath, program]
    this.#child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, ...env },
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#complaints += chunk
    })
    this.gone = new Promise((resolve) => {
      this.#child.once('exit', () => {
        this.#isGone = true
        resolve()
      })
    })
  }

  /** Serves a data folder. Answers the port. @throws Error saying why the broker could not. */
  async open(options: OpenOptions): Promise<number> {
    const answer = await this.#ask({ type: 'open', ...options })
    if (answer.type !== 'open') throw new Error(answer.type === 'failed' ? answer.why : `unexpected ${answer.type}`)
    this.#pid = answer.pid
    this.#port = answer.port
    this.#now = options.now ?? 0
    return answer.port
  }

  /** Where it listens. */
  get port(): number {
    return this.#port
  }

  /** What its clock shows; 0: the real time. */
  get now(): number {
    return this.#now
  }

  /** Lets time pass for it; what falls due has happened when this resolves. */
  async pass(ms: number): Promise<void> {
    await this.#ask({ type: 'pass', ms })
    this.#now += ms
  }

  /** What its store has logged since it was opened: level, line and error. */
  async lines(): Promise<readonly string[]> {
    const answer = await this.#ask({ type: 'tell' })
    return answer.type === 'told' ? answer.lines : []
  }

  /** What it has written to stderr. */
  get complaints(): string {
    return this.#complaints
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Closes the broker in order; the process can be told to open another folder. */
  async close(): Promise<void> {
    await this.#ask({ type: 'close' })
  }

  /** See {@link gone}. */
  dieAt(death: Death): void {
    this.#child.send({ type: 'die-at', ...death } satisfies Command)
  }

  /** SIGKILL: the process has no chance to finish anything. */
  async kill(): Promise<void> {
    if (!this.#isGone) process.kill(this.#pid ?? this.#child.pid!, 'SIGKILL')
    await this.gone
  }

  async #ask(command: Command): Promise<Answer> {
    const answer = once(this.#child, 'message') as Promise<[Answer]>
    const death = this.gone.then((): never => {
      throw new Error(`the broker's process ended: ${this.#complaints || this.#child.signalCode}`)
    })
    this.#child.send(command)
    const [first] = await Promise.race([answer, death])
    return first
  }
}
