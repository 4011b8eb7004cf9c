import type { ProtocolVersion } from '@godwit/protocol'
import { type BrokerOptions, createEdge, type Edge, type EdgeOptions, type Listener } from '../../src/index.js'
import { settled } from '../rig.js'
import { type ConnectOptions, connectPacket, TestClient } from '../test-client.js'
import { openTcp, type StartedBroker, startBroker } from '../transports/started-broker.js'

/** A broker that serves, and the edge of another node, over sockets of this machine. */
export interface EdgeRig extends StartedBroker {
  readonly edge: Edge
  /** Lines of the edge's log. */
  readonly edgeLog: string[]
  /** The node listener of the broker. */
  readonly node: Listener
  /** Where clients come in: the edge's. */
  readonly port: number
  /** The broker serves, by its next claim. */
  claim(): void
  /** A client of the edge that has said nothing yet. */
  open(clientId?: string): Promise<TestClient>
  /** A client of the edge that is in. */
  connect(clientId: string, options?: ConnectOptions): Promise<TestClient>
  close(): Promise<void>
}

/** An edge that keeps what it logged. */
export async function startEdge(options: EdgeOptions = {}): Promise<{ edge: Edge; edgeLog: string[] }> {
  const edgeLog: string[] = []
  const edge = await createEdge({
    log: { log: (level, message, fields) => void edgeLog.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`) },
    ...options,
  })
  return { edge, edgeLog }
}

/** @param version what its clients speak, where they do not say. */
export async function startEdgeRig(
  options: { readonly broker?: BrokerOptions; readonly edge?: EdgeOptions; readonly isServed?: boolean } = {},
  version: ProtocolVersion = 4,
): Promise<EdgeRig> {
  const started = await startBroker(options.broker)
  const node = await started.broker.listen({ port: 0, node: { names: [] } })
  const { edge, edgeLog } = await startEdge(options.edge)
  const { port } = await edge.listen({ port: 0, name: 'plain' })
  let claims = 0
  const claim = (): void => edge.setOwner({ host: '127.0.0.1', port: node.port, claim: String(++claims) })
  if (options.isServed ?? true) claim()
  const open = async (clientId = ''): Promise<TestClient> =>
    new TestClient(await openTcp(port), clientId, settled, version).read()
  return {
    ...started,
    edge,
    edgeLog,
    node,
    port,
    claim,
    open,
    async connect(clientId, connectOptions = {}) {
      const client = await open(clientId)
      client.send(connectPacket(clientId, { version, ...connectOptions }))
      const [connack] = await client.next()
      if (!connack?.startsWith('connack 0')) throw new Error(`CONNECT of ${clientId} was answered with ${connack}`)
      return client
    },
    async close() {
      await edge.close()
      await started.broker.close()
    },
  }
}

/** Resolves when it is so. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5))
}
