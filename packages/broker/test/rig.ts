import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ProtocolVersion } from '@godwit/protocol'
import { type Broker, type BrokerOptions, createBroker, memoryPair } from '../src/index.js'
import { VirtualClock } from '../src/testing/index.js'
import { type ConnectOptions, connectPacket, TestClient } from './test-client.js'

/** Turns of the event loop after which everything written to a memory pair has been handled and answered. */
const turnsToSettle = 12

export async function settled(): Promise<void> {
  for (let turn = 0; turn < turnsToSettle; turn++) await nextTurn()
}

/** A broker whose time belongs to the test, its log, and scripted clients of it. */
export interface Rig {
  readonly broker: Broker
  readonly clock: VirtualClock
  /** Log lines: `warn message dropped {"reason":"queue-full"}`. */
  readonly log: string[]
  /** What a client says so that its session outlives its connection. */
  readonly durable: ConnectOptions
  /** A client that has said nothing yet. */
  open(clientId?: string, reads?: boolean): TestClient
  /** A client that has said CONNECT, and heard nothing yet. */
  greet(clientId: string, options?: ConnectOptions): TestClient
  /** A client that is connected; what came before this call's end has been heard. */
  connect(clientId: string, options?: ConnectOptions): Promise<TestClient>
  /** Lets the broker's time pass. */
  pass(ms: number): Promise<void>
}

/** @param version what its clients speak, where they do not say. */
export async function startRig(options: BrokerOptions = {}, version: ProtocolVersion = 4): Promise<Rig> {
  const clock = options.clock instanceof VirtualClock ? options.clock : new VirtualClock()
  const log: string[] = []
  const broker = await createBroker({
    clock,
    sysIntervalSeconds: 0,
    log: { log: (level, message, fields) => void log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`) },
    ...options,
  })
  const open = (clientId = '', reads = true): TestClient => {
    const [ours, theirs] = memoryPair()
    broker.handle(theirs, { transport: 'memory', address: 'test' })
    const client = new TestClient(ours, clientId, settled)
    return reads ? client.read() : client
  }
  const greet = (clientId: string, connectOptions: ConnectOptions = {}): TestClient =>
    open(clientId).send(connectPacket(clientId, { version, ...connectOptions }))
  return {
    broker,
    clock,
    log,
    durable: { cleanStart: false, ...(version === 5 && { properties: { sessionExpiryInterval: 0xffff_ffff } }) },
    open,
    greet,
    async connect(clientId, connectOptions = {}) {
      const client = greet(clientId, connectOptions)
      const [connack] = await client.heard()
      if (!connack?.startsWith('connack 0')) throw new Error(`CONNECT of ${clientId} was answered with ${connack}`)
      return client
    },
    async pass(ms) {
      await settled()
      clock.advance(ms)
      await settled()
    },
  }
}
