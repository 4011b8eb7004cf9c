import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { BrokerOptions, ListenOptions, Metrics } from '../src/index.js'

const main = fileURLToPath(new URL('child-broker.mjs', import.meta.url))

/** What a broker says of itself. */
export interface Said {
  readonly metrics: Metrics
  readonly clients: number
  /** Log lines: `warn message dropped {"reason":"queue-full"}`. */
  readonly lines: readonly string[]
}

/** A broker (the built one) in a process of its own. */
export class ChildBroker {
  readonly child: ChildProcess
  readonly ports: readonly number[]
  errors = ''

  private constructor(child: ChildProcess, ports: readonly number[]) {
    this.child = child
    this.ports = ports
    child.stderr?.on('data', (chunk) => (this.errors += chunk))
  }

  /** @param descriptors how many it may open; left out: as many as this process. */
  static async start(
    options: Omit<BrokerOptions, 'log'>,
    listeners: readonly ListenOptions[],
    descriptors?: number,
  ): Promise<ChildBroker> {
    const command = [process.execPath, main, JSON.stringify({ options, listeners })]
    const limited =
      descriptors === undefined ? command : ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh', ...command]
    const child = spawn(limited[0]!, limited.slice(1), { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
    const [ports] = (await once(child, 'message')) as [number[]]
    return new ChildBroker(child, ports)
  }

  async ask(): Promise<Said> {
    this.child.send('say')
    const [said] = (await once(this.child, 'message')) as [Said]
    return said
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const closed = once(this.child, 'close')
    this.child.kill('SIGKILL')
    await closed
  }
}
