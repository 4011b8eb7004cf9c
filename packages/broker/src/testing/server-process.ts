import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

/** A server of somebody else's, for a plugin to be tested with. */
export class ServerProcess {
  readonly #child: ChildProcess

  /**
   * Resolves when a line of its error output says that it is ready.
   * @throws Error with what it said, when it has ended before.
   */
  static async start(
    [program = '', ...args]: readonly string[],
    ready: string,
    options: SpawnOptions = {},
  ): Promise<ServerProcess> {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
    const said: string[] = []
    for await (const line of createInterface(child.stderr!)) {
      said.push(line)
      if (!line.includes(ready)) continue
      child.stderr!.resume()
      return new ServerProcess(child)
    }
    throw new Error(`${program} did not start: ${said.join('\n')}`)
  }

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when it has ended by this signal, or had ended before. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const { exitCode, signalCode } = this.#child
    if (exitCode !== null || signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
  }
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
