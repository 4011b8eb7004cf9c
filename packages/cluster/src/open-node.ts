import { type Broker, type BrokerOptions, createBroker, type Logger, type Store } from '@godwit/broker'
import type { LogServer } from './log/log-server.js'
import { ClusterNode, type NodeSettings } from './node/cluster-node.js'
import { LmdbPremises } from './node/lmdb-premises.js'
import { importData } from './transfer.js'

export interface OpenNodeOptions extends NodeSettings {
  /** What {@link jetstreamLog} has made. */
  readonly server: LogServer
  /** The data folder of this node. */
  readonly directory: string
  /** Of the broker, while this node is the owner. Its store is the node's. */
  readonly broker?: Omit<BrokerOptions, 'store'>
  /** Called when this node has become the owner: opens listeners. What it throws makes the node let go again. */
  readonly serve: (broker: Broker) => Promise<void>
  /** Called when it serves no longer, before the broker has ended: closes what was opened beside it. Default: nothing is. */
  readonly ended?: () => Promise<void>
  /** Default: nothing is logged. */
  readonly log?: Logger
  /** Makes the broker, where options alone do not do. Default: `createBroker` with `broker`. */
  readonly create?: (options: BrokerOptions & { readonly store: Store }) => Promise<Broker>
}

/** For how long wills and ends of sessions wait for their clients after a node has taken over, in seconds. */
export const graceSeconds = 30

/** Starts a node of a cluster in this process. `close` it before the program ends, so that another need not wait for the lease. */
export function openNode(options: OpenNodeOptions): ClusterNode {
  return makeNode(options).start()
}

/** One that follows nothing until it is started. */
export function makeNode({
  server,
  directory,
  broker: options = {},
  serve,
  ended,
  create,
  ...rest
}: OpenNodeOptions): ClusterNode {
  const { log } = rest
  const premises = new LmdbPremises({
    directory,
    log,
    load: async (store) => {
      const broker = await (create ?? createBroker)({ graceAfterRestartSeconds: graceSeconds, ...options, store })
      return {
        serve: () => serve(broker),
        stop: async () => {
          await ended?.()
          await broker.close()
        },
        abandon: async () => {
          const left = broker.abandon() // first: nothing more goes out
          await ended?.()
          await left
        },
      }
    },
  })
  const publishCopy = (): Promise<number> => importData({ server, directory: premises.folder, force: true })
  return new ClusterNode({ ...rest, server, premises, publishCopy })
}
