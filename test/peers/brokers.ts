import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Background, freePort } from '../../scripts/background.mjs'
import { godwitMain, godwitMissing } from './godwit-command.js'

/** A broker that can be started. */
export interface Broker {
  readonly name: string
  /** Why it cannot be used here and what to do, or undefined when it can. */
  readonly missing: string | undefined
  /** Resolves when it listens. */
  start(): Promise<RunningBroker>
}

export interface RunningBroker {
  readonly port: number
  stop(): Promise<unknown>
}

/** Starts a broker that takes a free port by itself and says `listening on ADDRESS:PORT`. */
async function startListening(command: readonly string[]): Promise<RunningBroker> {
  const program = await Background.start(command, { ready: /listening on \S+:\d+\n/ })
  const [, port] = /listening on \S+:(\d+)/.exec(program.output) ?? []
  return { port: Number(port), stop: () => program.stop() }
}

export const godwit: Broker = {
  name: 'godwit',
  missing: godwitMissing,
  start: () => startListening([process.execPath, godwitMain, 'broker', '--port', '0', '--data', 'memory']),
}

const mosquittoProgram = '/usr/sbin/mosquitto'

/** Below MQTT 5, mosquitto 2.0 acknowledges and drops what a publisher has in flight at QoS 2 beyond this limit, 20 by default. */
const mosquittoOptions = 'allow_anonymous true\nmax_inflight_messages 0\n'

export const mosquitto: Broker = {
  name: 'mosquitto',
  missing: existsSync(mosquittoProgram) ? undefined : 'mosquitto is not installed: apt-get install mosquitto',
  async start() {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'godwit-peers-'))
    const config = join(folder, 'mosquitto.conf')
    writeFileSync(config, `listener ${port} 127.0.0.1\n${mosquittoOptions}`)
    const program = await Background.start([mosquittoProgram, '-c', config], { ready: /version \S+ running/ })
    const stop = async (): Promise<void> => {
      await program.stop()
      rmSync(folder, { recursive: true })
    }
    return { port, stop }
  },
}

export const aedes: Broker = {
  name: 'aedes',
  missing: existsSync(new URL('node_modules/aedes', import.meta.url))
    ? undefined
    : 'aedes is not installed: npm ci --prefix test/peers',
  start: () => startListening([process.execPath, fileURLToPath(new URL('aedes-broker.mjs', import.meta.url))]),
}
