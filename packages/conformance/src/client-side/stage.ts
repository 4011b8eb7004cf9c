import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { PropertiesOf } from '@godwit/protocol'
import type { Check } from '../check.js'
import { inWords } from '../describe.js'
import { CheckSkipped } from '../failure.js'
import { streamOf } from '../socket-target.js'
import { Connection, type Manners } from './connection.js'
import type { Launch, Launched } from './launch.js'
import { polite } from './manners.js'
import type { Scenario } from './scenario.js'

/** What is waited for at most before a client counts as not doing it. */
export const patienceMs = 5000

interface AcceptOptions {
  /** Of CONNACK. Default false. */
  readonly sessionPresent?: boolean
  readonly properties?: PropertiesOf<'connack'>
  /** Default: everything is answered. */
  readonly manners?: Manners
}

/** One start of the client and the server it is to talk to, on a port of its own. */
export class Stage {
  readonly connections: Connection[] = []
  readonly transcript: string[] = []
  readonly #version: Check['version']
  readonly #server: Server
  #client: Launched | undefined
  #ended: string | undefined
  #met = 0
  #wake: (() => void) | undefined

  constructor(version: Check['version']) {
    this.#version = version
    this.#server = createServer({ noDelay: true }, (socket) => {
      const name = `connection ${this.connections.length + 1}`
      const note = (line: string): void => void this.transcript.push(line)
      this.connections.push(new Connection(streamOf(socket), { version: version === '5.0' ? 5 : 4, name, note }))
      this.#wake?.()
    })
  }

  async open(launch: Launch, scenario: Scenario): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const { port } = this.#server.address() as AddressInfo
    this.#client = launch({ url: `mqtt://127.0.0.1:${port}`, scenario, version: this.#version })
    void this.#client.ended.then((why) => {
      this.#ended = why
      this.#wake?.()
    })
  }

  /** The client's next connection, undefined when none comes. */
  async connection(): Promise<Connection | undefined> {
    const deadline = performance.now() + patienceMs
    for (;;) {
      const next = this.connections[this.#met]
      const leftMs = deadline - performance.now()
      if (next) this.#met++
      if (next || leftMs <= 0 || this.#ended !== undefined) return next
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Why the client does not come, in words. */
  get absence(): string {
    return this.#ended ?? `it did not connect within ${patienceMs / 1000} s`
  }

  /** Takes the client's next connection up to CONNECT; the dialogue ends when there is none of the right version. */
  async connect(): Promise<Connection> {
    const connection = await this.connection()
    const again = this.connections.length > 0 ? ' again' : ''
    if (!connection) throw new CheckSkipped(`the client did not connect${again}: ${this.absence}`)
    const first = await connection.until(() => connection.heard[0], patienceMs)
    const { packet } = first ?? {}
    if (packet?.type !== 'connect') {
      throw new CheckSkipped(`no CONNECT came, but ${first ? inWords(first) : 'nothing'}`) // a failure of chapter 3.1
    }
    if (packet.version !== (this.#version === '5.0' ? 5 : 4)) {
      throw new CheckSkipped(`the client speaks MQTT ${packet.version === 5 ? '5.0' : '3.1.1 or older'} here`)
    }
    return connection
  }

  /** Takes the client's next connection and accepts its CONNECT. */
  async accept({ sessionPresent = false, properties, manners = polite }: AcceptOptions = {}): Promise<Connection> {
    const connection = await this.connect()
    connection.behave(manners)
    connection.accept(sessionPresent, properties)
    return connection
  }

  /** Takes the client's next connection as the continuation of the session; the dialogue ends when it wants none. */
  async resume(manners: Manners = polite): Promise<Connection> {
    const connection = await this.connect()
    if (connection.packets('connect')[0]?.cleanStart) {
      throw new CheckSkipped('the client came back without wanting its session')
    }
    connection.behave(manners)
    connection.accept(true)
    return connection
  }

  async close(): Promise<void> {
    this.#server.close()
    for (const connection of this.connections) connection.drop() // first: a client that is killed closes it too
    await this.#client?.stop()
  }
}
