import {
  type Broker,
  checkListen,
  createEdge,
  type Edge,
  type InheritedSocket,
  type Limits,
  type ListenOptions,
  type Logger,
  type NodeTlsOptions,
} from '@godwit/broker'
import type { NodeStatus } from '@godwit/cluster'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import { monitoringAddress } from '../monitoring/monitoring-address.js'
import { OpenListeners } from '../open-listeners.js'
import { said } from '../said.js'
import { fileText } from '../secret-files.js'
import type { ClusterConfig } from './cluster-settings.js'

type Forward = NonNullable<ClusterConfig['forward']>

/** The listeners of a node, which are open whoever serves, and how clients get from node to node. */
export class NodeEdge {
  readonly edge: Edge
  readonly listeners: OpenListeners
  readonly #forward: Forward

  /**
   * @param asks whether clients are asked who they are.
   * @throws CommandError for what cannot be opened or read.
   */
  static async open(
    settings: Resolved,
    {
      asks,
      sockets,
      log,
    }: { readonly asks: boolean; readonly sockets: readonly InheritedSocket[]; readonly log: Logger },
  ): Promise<NodeEdge> {
    const { limits, features, cluster, auth } = settings.config
    const { holdMs, forward } = cluster!
    const { tls, names } = forward!
    const edge = await inPlace(settings, ['cluster', 'forward'], async () => {
      await checkForward(forward!)
      return createEdge({
        limits: limits as Partial<Limits>,
        controlCharacters: features.controlCharacters ?? false,
        authenticates: asks,
        backOff: asks && said(auth.backOff ?? {}),
        holdMs,
        log,
        ...(tls && { tls: tlsOf(tls, names) }),
      })
    })
    try {
      await inPlace(settings, ['cluster', 'forward', 'listen'], () => tryListen(edge, forward!))
      return new NodeEdge(edge, await OpenListeners.open(edge, settings, sockets), forward!)
    } catch (error) {
      await edge.close()
      throw error
    }
  }

  private constructor(edge: Edge, listeners: OpenListeners, forward: Forward) {
    this.edge = edge
    this.listeners = listeners
    this.#forward = forward
  }

  /** This node serves: its clients are the broker's, and so are those that other nodes pass on. */
  async serve(broker: Broker): Promise<void> {
    await broker.listen(nodeListener(this.#forward, this.listeners.names))
    this.edge.setOwner(broker)
  }

  /** It does not: clients go to who does, as far as that is known. */
  follow({ node, owner, epoch }: NodeStatus): void {
    const isOther = owner !== undefined && owner.node !== node
    const where = isOther && owner.address !== undefined ? monitoringAddress(owner.address) : undefined
    this.edge.setOwner(where && { ...where, claim: String(epoch) })
  }

  close(): Promise<void> {
    return this.edge.close()
  }
}

/**
 * Tries whether nodes could come in so, and reads the files.
 * @throws BrokerError, CommandError
 */
export async function checkForward(forward: Forward): Promise<void> {
  await checkListen(nodeListener(forward, []))
}

/** It is listened there only while the node serves: that this cannot be is told at the start, not when the owner is gone. */
async function tryListen(edge: Edge, { listen }: Forward): Promise<void> {
  const { host, port } = monitoringAddress(listen)! // the schema has looked
  const trial = await edge.listen({ host, port, accepting: false })
  await trial.close()
}

function nodeListener({ listen, tls, names }: Forward, listeners: readonly string[]): ListenOptions {
  const { host, port } = monitoringAddress(listen)! // the schema has looked
  const node = { host, port, maxHandshakes: 10_000, node: { names, listeners } }
  if (!tls) return node
  const { names: _, ...files } = tlsOf(tls, names)
  return { ...node, tls: files }
}

function tlsOf(
  { passphraseFile, passphrase, ...files }: NonNullable<Forward['tls']>,
  names: readonly string[],
): NodeTlsOptions {
  const ofFile =
    passphraseFile === undefined ? undefined : fileText(passphraseFile, 'forward.tls.passphraseFile').trim()
  const opened = passphrase ?? ofFile
  return { ...files, names, ...(opened !== undefined && { passphrase: opened }) }
}
