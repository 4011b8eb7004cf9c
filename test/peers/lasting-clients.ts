// Other people's clients with sessions that last: each subscribes to all numbers, and publishes its own until it is told to stop.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Background } from '../../scripts/background.mjs'
import { mosquittoClients } from './mosquitto.js'
import { mqttJs } from './mqtt-js.js'
import { paho } from './paho.js'
import type { PeerVersion } from './peer.js'

/** What a client has seen and done. */
export interface LastingClient {
  readonly name: string
  /** Whether its session was there, of each time that it came in; of mosquitto_sub it is not told. */
  readonly connected: readonly boolean[]
  /** What has come of this publisher, in order. */
  received(publisher: string): readonly number[]
  /** The last number that was acknowledged; what was not may be received too. */
  readonly acked: number
  /** Whether all that it publishes and hears is at QoS 2, and so comes once; else at QoS 1. */
  readonly isOnce: boolean
  /** It publishes from now on. */
  begin(): void
  /** It publishes no more, and goes on listening; when the last number has been acknowledged. */
  quiet(): Promise<void>
  stop(): Promise<unknown>
}

export interface LastingKind {
  readonly name: string
  readonly missing: string | undefined
  start(port: number, version: PeerVersion): Promise<LastingClient>
}

const script = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

export const lastingClients: readonly LastingKind[] = [
  {
    name: 'paho',
    missing: paho(5).missing,
    start: scripted('paho', ['/usr/bin/python3', script('lasting-client.py')]),
  },
  {
    name: 'MQTT.js',
    missing: mqttJs(5).missing,
    start: scripted('mqtt-js', [process.execPath, script('lasting-client.mjs')]),
  },
  { name: 'mosquitto', missing: mosquittoClients(5).missing, start: mosquitto },
]

/** What its lines tell of. */
class Heard {
  readonly connected: boolean[] = []
  readonly #received = new Map<string, number[]>()
  acked = 0

  readonly onLine = (line: string): void => {
    const [what, first = '', second = ''] = line.split(' ')
    if (what === 'connected') this.connected.push(first === 'true')
    if (what === 'acked') this.acked = Number(first)
    if (what !== 'message') return
    const publisher = first.replace('numbers/', '')
    this.#received.set(publisher, [...(this.#received.get(publisher) ?? []), Number(second)])
  }

  received(publisher: string): readonly number[] {
    return this.#received.get(publisher) ?? []
  }
}

function scripted(kind: string, program: readonly string[]): LastingKind['start'] {
  return async (port, version) => {
    const name = `${kind}-${version}`
    const heard = new Heard()
    const task = JSON.stringify({ version, port, name })
    const client = await Background.start([...program, task], { ready: /^ready$/m, onLine: heard.onLine })
    return {
      name,
      isOnce: true,
      connected: heard.connected,
      received: (publisher) => heard.received(publisher),
      get acked() {
        return heard.acked
      },
      begin: () => void client.child.stdin.write('begin\n'),
      async quiet() {
        client.child.stdin.end()
        while (!/^last \d+$/m.test(client.output)) await new Promise((resolve) => setTimeout(resolve, 20))
      },
      stop: () => client.stop(),
    }
  }
}

/**
 * mosquitto_sub comes again by itself, but of 5.0 it ends with DISCONNECT: then it is begun again, at QoS 1, for what it has taken halfway at
 * QoS 2 ends with it. So is mosquitto_pub, until it is acknowledged.
 */
async function mosquitto(port: number, version: PeerVersion): Promise<LastingClient> {
  const name = `mosquitto-${version}`
  const protocol = version === 5 ? '5' : '311'
  const heard = new Heard()
  const subscribe = `stdbuf -oL mosquitto_sub -d -V ${protocol} -p ${port} -i ${name} -c -x 600 -t numbers/# -q 1 -F`
  const form = 'message %t %p'
  const line = [...subscribe.split(' '), form]
  let isStopped = false
  let subscriber = await Background.start(line, { ready: /received SUBACK/, onLine: heard.onLine })
  void (async () => {
    for (await subscriber.ended; !isStopped; await subscriber.ended) {
      subscriber = await Background.start(line, { onLine: heard.onLine })
      if (isStopped) await subscriber.stop()
    }
  })()
  let isOver = false
  let acked = 0
  const publish = async (): Promise<void> => {
    for (let number = 1; !isOver; number++) {
      while (!(await published(`-V ${protocol} -p ${port} -t numbers/${name} -q 1 -m ${number}`)));
      acked = number
    }
  }
  let publishing: Promise<void> | undefined
  return {
    name,
    isOnce: false,
    connected: [],
    received: (publisher) => heard.received(publisher),
    get acked() {
      return acked
    },
    begin() {
      publishing = publish()
    },
    async quiet() {
      isOver = true
      await publishing
    },
    stop() {
      isStopped = true
      return subscriber.stop()
    },
  }
}

async function published(flags: string): Promise<boolean> {
  const patienceMs = 3_000 // where it is not answered any more, it would come again under a name of its own
  const child = spawn('/usr/bin/mosquitto_pub', flags.split(' '), { stdio: 'ignore', timeout: patienceMs })
  const [code] = await once(child, 'close')
  return code === 0
}
