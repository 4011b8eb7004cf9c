import { PassThrough, Writable } from 'node:stream'
import { run } from '../src/run.js'
import type { Terminal } from '../src/terminal.js'

/** A terminal that remembers what was printed, types what it is told, and can send a signal. */
export class TestTerminal implements Terminal {
  readonly stdin: PassThrough = new PassThrough()
  readonly stdout: Writable
  readonly stderr: Writable
  readonly #printed: Record<'stdout' | 'stderr', Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  readonly #stop = new AbortController()
  readonly #waiting = new Set<() => void>()

  constructor() {
    this.stdout = this.#remember('stdout')
    this.stderr = this.#remember('stderr')
  }

  stopping(): AbortSignal {
    return this.#stop.signal
  }

  onReload(callback: () => void): void {
    this.hangUp = callback
  }

  onExit(callback: () => void): void {
    this.exit = callback
  }

  /** As the end of the process does. */
  exit: () => void = () => {}

  /** As SIGHUP does. */
  hangUp: () => void = () => {}

  /** As Ctrl-C does. */
  interrupt(): void {
    this.#stop.abort()
  }

  get output(): string {
    return this.#printed.stdout.toString()
  }

  get outputBytes(): Buffer {
    return this.#printed.stdout
  }

  get errors(): string {
    return this.#printed.stderr.toString()
  }

  /** Runs `godwit` with these arguments; gives the exit code. */
  run(...args: readonly string[]): Promise<number> {
    return run(args, this)
  }

  /** Waits until something of that form has been printed on stdout or stderr. */
  async printed(form: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = form.exec(this.output) ?? form.exec(this.errors)
      if (found) return found
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  #remember(stream: 'stdout' | 'stderr'): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.#printed[stream] = Buffer.concat([this.#printed[stream], chunk])
        for (const resolve of this.#waiting) resolve()
        this.#waiting.clear()
        done()
      },
    })
  }
}
