import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const binary = 'mosquitto'

const installed = spawnSync(binary, ['-h']).error === undefined
const notInstalled = 'mosquitto is not installed (apt-get install mosquitto)'

/** Whether tests against mosquitto are left out, visibly. With GODWIT_TEST_REQUIRE_PEERS they fail instead. */
export const skipped: boolean = !installed && !process.env.GODWIT_TEST_REQUIRE_PEERS
if (skipped) process.stderr.write(`SKIPPED: client against mosquitto: ${notInstalled}\n`)

/** A mosquitto of our own on a port of its own, which can be stopped and started again. */
export class Mosquitto {
  readonly url: string
  readonly #port: number
  readonly #folder: string
  #process: ChildProcess | undefined

  private constructor(port: number) {
    this.#port = port
    this.url = `mqtt://127.0.0.1:${port}`
    this.#folder = mkdtempSync(join(tmpdir(), 'godwit-mosquitto-'))
    writeFileSync(
      join(this.#folder, 'mosquitto.conf'),
      [
        `listener ${port} 127.0.0.1`,
        'allow_anonymous true',
        'persistence true',
        `persistence_location ${this.#folder}/`,
        'user root', // started by root it would give up the right to write there
      ].join('\n'),
    )
  }

  static async start(): Promise<Mosquitto> {
    if (!installed) throw new Error(notInstalled)
    const mosquitto = new Mosquitto(await freePort())
    await mosquitto.run()
    return mosquitto
  }

  async run(): Promise<void> {
    this.#process = spawn(binary, ['-c', join(this.#folder, 'mosquitto.conf')], { stdio: 'ignore' })
    while (!(await accepts(this.#port))) await delay(10)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const running = this.#process
    this.#process = undefined
    if (running === undefined) return
    const exited = once(running, 'exit')
    running.kill(signal)
    await exited
  }

  async dispose(): Promise<void> {
    await this.stop()
    rmSync(this.#folder, { recursive: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: '127.0.0.1', port })
    socket.on('connect', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
