import {
  type Broker,
  checkListen,
  createEdge,
  type Edge,
  type Limits,
  type Listener,
  type ListenOptions,
  type Logger,
  type NodeTlsOptions,
} from '@godwit/broker'
import type { NodeStatus } from '@godwit/cluster'
import { CommandError } from '../command-error.js'
import { inPlace } from '../config/in-place.js'
import type { Resolved } from '../config/resolve.js'
import { monitoringAddress } from '../monitoring/monitoring-address.js'
import { fileText } from '../secret-files.js'
import type { ClusterConfig } from './cluster-settings.js'

type Forward = NonNullable<ClusterConfig['forward']>

/** The listeners of a node, which are open whoever serves, and how clients get from node to node. */
export class NodeEdge {
  readonly edge: Edge
  readonly listeners: readonly Listener[]
  readonly #node: ListenOptions

  /**
   * @param asks whether clients are asked who they are.
   * @param doors what listeners there shall be.
   * @throws CommandError for what cannot be opened or read.
   */
  static async open(
    settings: Resolved,
    forward: Forward,
    doors: readonly (() => ListenOptions)[],
    { asks, log }: { readonly asks: boolean; readonly log: Logger },
  ): Promise<NodeEdge> {
    const { limits, features, cluster, auth } = settings.config
    const tls = forward.tls && tlsOf(forward.tls, forward.names)
    const node = nodeListener(forward, doors)
    const backOff = Object.fromEntries(Object.entries(auth.backOff ?? {}).filter(([, value]) => value !== undefined))
    const edge = await inPlace(settings, ['cluster', 'forward'], async () => {
      await checkListen(node)
      return createEdge({
        limits: limits as Partial<Limits>,
        controlCharacters: features.controlCharacters ?? false,
        authenticates: asks,
        backOff: asks && backOff,
        holdMs: cluster!.holdMs,
        log,
        ...(tls && { tls }),
      })
    })
    try {
      const listeners: Listener[] = []
      for (const [at, door] of doors.entries()) {
        listeners.push(await inPlace(settings, ['listeners', at], () => edge.listen(door())))
      }
      return new NodeEdge(edge, listeners, node)
    } catch (error) {
      await edge.close()
      throw error
    }
  }

  private constructor(edge: Edge, listeners: readonly Listener[], node: ListenOptions) {
    this.edge = edge
    this.listeners = listeners
    this.#node = node
  }

  /** This node serves: its clients are the broker's, and so are those that other nodes pass on. */
  async serve(broker: Broker): Promise<void> {
    await broker.listen(this.#node)
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

function nodeListener({ listen, tls, names }: Forward, doors: readonly (() => ListenOptions)[]): ListenOptions {
  const { host, port } = addressOf(listen)
  const listeners = doors.map((door) => door().name!)
  const secure = tls && tlsOf(tls, names)
  const { names: _, ...files } = secure ?? {}
  return {
    host,
    port,
    maxHandshakes: 10_000,
    node: { names, listeners },
    ...(secure && { tls: files as NodeTlsOptions }),
  }
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

/** @throws CommandError for what is no address. */
function addressOf(listen: string): { readonly host: string; readonly port: number } {
  const address = monitoringAddress(listen)
  if (!address) throw new CommandError(`cluster.forward.listen is ${listen}; it takes host:port, as 10.0.1.1:1884`)
  return address
}
