import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, connect, ServerRefusedError, SubscriptionRefusedError } from '@godwit/client'
import { Background, freePort } from '../../scripts/background.mjs'

const program = '/usr/sbin/mosquitto'

export const mosquittoProgram = {
  missing: existsSync(program) ? undefined : 'mosquitto is not installed: apt-get install mosquitto',
}

/** A mosquitto with a configuration of its own, or what it said when it did not start. */
export type Started = { readonly running: RunningMosquitto } | { readonly said: string }

export interface RunningMosquitto {
  readonly port: number
  readonly pid: number
  stop(): Promise<void>
}

/**
 * @param lines of mosquitto.conf; `PORT` stands for a free port.
 * @param files beside it, by name; the folder is `FOLDER` in the lines.
 */
export async function startMosquitto(
  lines: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'godwit-mosquitto-'))
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  for (const [name, text] of Object.entries(files)) put(name, text)
  const written = lines.map((line) => line.replaceAll('FOLDER', folder).replaceAll('PORT', String(port)))
  put('mosquitto.conf', `user root\n${written.join('\n')}\n`) // else it could not read what is ours alone
  const clean = (): void => rmSync(folder, { recursive: true })
  try {
    const started = await Background.start([program, '-c', join(folder, 'mosquitto.conf')], {
      ready: /version \S+ running/,
    })
    const stop = async (): Promise<void> => {
      await started.stop()
      clean()
    }
    return { running: { port, pid: started.pid, stop } }
  } catch (error) {
    clean()
    return { said: (error as Error).message }
  }
}

/** @throws Error with what it said. */
export async function runningMosquitto(
  lines: readonly string[],
  files?: Readonly<Record<string, string>>,
): Promise<RunningMosquitto> {
  const started = await startMosquitto(lines, files)
  if ('said' in started) throw new Error(started.said)
  return started.running
}

export interface Who {
  readonly username?: string
  readonly password?: string
  readonly clientId: string
}

/** What a running broker answers to one client's wishes. */
export class Asked {
  readonly #client: Client
  readonly #root: Client

  /** @returns `undefined` when the client may not come in. */
  static async connect(port: number, who: Who, root: Client): Promise<Asked | undefined> {
    try {
      return new Asked(await rootOf(port, who), root)
    } catch (error) {
      if (error instanceof ServerRefusedError) return undefined
      throw error
    }
  }

  private constructor(client: Client, root: Client) {
    this.#client = client
    this.#root = root
  }

  async publish(topic: string): Promise<boolean> {
    return this.#client.publish(topic, 'x', { qos: 1 }).then(
      () => true,
      () => false,
    )
  }

  async subscribe(filter: string): Promise<boolean> {
    try {
      const subscription = await this.#client.subscribe(filter)
      await subscription.unsubscribe()
      return true
    } catch (error) {
      if (error instanceof SubscriptionRefusedError) return false
      throw error
    }
  }

  /** Whether a message of that topic comes; `undefined` where it may not be subscribed to. */
  async receive(topic: string): Promise<boolean | undefined> {
    let came = false
    try {
      const onMessage = (): void => {
        came = true
      }
      const subscription = await this.#client.subscribe(topic, { onMessage })
      await this.#root.publish(topic, 'x', { qos: 1 })
      await this.subscribe('round/trip') // what was sent before its answer is here with it
      await subscription.unsubscribe()
      return came
    } catch (error) {
      if (error instanceof SubscriptionRefusedError) return undefined
      throw error
    }
  }

  close(): Promise<void> {
    return this.#client.close()
  }
}

/** A client that fails at once where it may not come in. */
export function rootOf(port: number, who: Who): Promise<Client> {
  return connect(`mqtt://127.0.0.1:${port}`, { ...who, version: 5, fallback: false, reconnect: false })
}
