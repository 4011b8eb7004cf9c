import type { Histogram } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { CommandError } from '../command-error.js'
import type { Delivered, LoadEvents, LoadPart } from './load.js'
import type { BenchSettings } from './settings.js'
import type { Tally } from './tally.js'
import type { Times } from './timing.js'

export interface ThreadData {
  readonly settings: BenchSettings
  readonly worker: number
}

/** What a thread is asked for. */
export type ThreadRequest =
  | { readonly type: 'prepare' | 'tally' | 'close' }
  | { readonly type: 'arm' | 'start'; readonly times: Times }
  | { readonly type: 'stop'; readonly at: number }
  | { readonly type: 'delivered'; readonly delivered: Delivered }

type Question = ThreadRequest & { readonly type: 'prepare' | 'arm' | 'tally' | 'close' }

/** What it says. */
export type ThreadAnswer =
  | { readonly type: 'ready'; readonly latency: Histogram; readonly connecting: Histogram }
  | { readonly type: 'prepare' | 'arm' | 'close' }
  | { readonly type: 'tally'; readonly tally: Tally }
  | { readonly type: 'delivered'; readonly delivered: Delivered }
  | { readonly type: 'failed'; readonly message: string; readonly known: boolean }

/** A part of the load in a thread of its own. Each question is asked once at a time. */
export class ThreadLoad implements LoadPart {
  readonly latency: Histogram
  readonly connecting: Histogram
  readonly #worker: Worker
  #failed: (error: Error) => void = () => {}
  readonly #waiting = new Map<ThreadAnswer['type'], (answer: ThreadAnswer) => void>()

  static async start(settings: BenchSettings, worker: number, events: LoadEvents): Promise<ThreadLoad> {
    const workerData: ThreadData = { settings, worker }
    const thread = new Worker(new URL('./load-thread.js', import.meta.url), { workerData })
    const ready = await new Promise<ThreadAnswer & { type: 'ready' }>((resolve, reject) => {
      thread.once('error', reject)
      thread.once('message', resolve) // the histograms are live: filled there, read here
    })
    return new ThreadLoad(thread, ready, events)
  }

  private constructor(worker: Worker, ready: ThreadAnswer & { type: 'ready' }, events: LoadEvents) {
    this.#worker = worker
    this.latency = ready.latency
    this.connecting = ready.connecting
    worker.on('error', (error) => this.#onFailure(error, events))
    worker.on('message', (answer: ThreadAnswer) => {
      if (answer.type === 'delivered') events.onDelivered(answer.delivered)
      else if (answer.type === 'failed') {
        this.#onFailure(answer.known ? new CommandError(answer.message) : new Error(answer.message), events)
      } else {
        this.#waiting.get(answer.type)?.(answer)
        this.#waiting.delete(answer.type)
      }
    })
  }

  async prepare(): Promise<void> {
    await this.#ask({ type: 'prepare' })
  }

  async arm(times: Times): Promise<void> {
    await this.#ask({ type: 'arm', times })
  }

  start(times: Times): void {
    this.#tell({ type: 'start', times })
  }

  stop(at: number): void {
    this.#tell({ type: 'stop', at })
  }

  delivered(delivered: Delivered): void {
    this.#tell({ type: 'delivered', delivered })
  }

  async tally(): Promise<Tally> {
    return ((await this.#ask({ type: 'tally' })) as ThreadAnswer & { type: 'tally' }).tally
  }

  async close(): Promise<void> {
    await this.#ask({ type: 'close' })
    await this.#worker.terminate()
  }

  #tell(request: ThreadRequest): void {
    this.#worker.postMessage(request)
  }

  #ask(question: Question): Promise<ThreadAnswer> {
    return new Promise((resolve, reject) => {
      this.#failed = reject
      this.#waiting.set(question.type, resolve)
      this.#tell(question)
    })
  }

  #onFailure(error: Error, events: LoadEvents): void {
    this.#failed(error)
    events.onFailure(error)
  }
}
