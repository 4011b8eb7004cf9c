import { TestTerminal } from './test-terminal.js'

/** A command that has begun. */
export interface Started {
  readonly terminal: TestTerminal
  /** Resolves when it ends. */
  readonly exitCode: Promise<number>
}

/** Runs `godwit`'s commands in this process, against the broker on one port. */
export class Commands {
  readonly #always: readonly string[]

  /** @param flags Those that every command gets. */
  constructor(port: string, ...flags: readonly string[]) {
    this.#always = ['-p', port, ...flags]
  }

  start(name: string, ...args: readonly string[]): Started {
    const terminal = new TestTerminal()
    return { terminal, exitCode: terminal.run(name, ...this.#always, ...args) }
  }

  /** Its exit code, once it has ended by itself. */
  async ended(name: string, ...args: readonly string[]): Promise<{ exitCode: number; terminal: TestTerminal }> {
    const started = this.start(name, ...args)
    return { exitCode: await started.exitCode, terminal: started.terminal }
  }

  /** A `godwit sub` that has subscribed. */
  async sub(...args: readonly string[]): Promise<Started> {
    const started = this.start('sub', '-d', ...args)
    await started.terminal.printed(/subscribed to/)
    return started
  }
}
