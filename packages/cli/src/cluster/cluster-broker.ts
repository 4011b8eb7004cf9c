import { type Cluster, NotEditable, type RecentLog } from '@godwit/admin/parts'
import type { Broker, BrokerOptions, Logger } from '@godwit/broker'
import type { StoreOnDisk } from '@godwit/broker/store/lmdb'
import {
  type ClusterNode,
  EngineUnfit,
  jetstreamLog,
  type LogServer,
  LogSilent,
  makeNode,
  type NodeNote,
  type NodeRole,
} from '@godwit/cluster'
import { webLines } from '../banner.js'
import type { StandingNode } from '../broker-life.js'
import { CommandError } from '../command-error.js'
import type { Resolved } from '../config/resolve.js'
import { open as openSocket } from '../control/broker-control.js'
import { controlPath } from '../control/control-path.js'
import type { ClusterAnswer, ClusterRequest, ReloadAnswer } from '../control/control-protocol.js'
import { loginLinkAnswer } from '../control/control-requests.js'
import type { ControlSocket, Serve } from '../control/control-socket.js'
import { WebServers } from '../http/web-servers.js'
import type { Terminal } from '../terminal.js'
import { ClusterLook } from './cluster-look.js'
import { shownOfNode } from './cluster-pages.js'
import { askEngine, type ClusterConfig, natsOptions, nodeName } from './cluster-settings.js'
import { clusterTopics } from './cluster-topics.js'
import type { NodeEdge } from './node-edge.js'
import { recoveryPlan } from './recovery-plan.js'

/** What a broker of a cluster shows and answers while it serves. */
export interface ServedByNode {
  close(): Promise<void>
}

/** What a broker has from its node. */
interface OfNode extends StandingNode {
  readonly store: StoreOnDisk
}

interface ClusterBrokerParts {
  readonly settings: Resolved
  readonly directory: string
  readonly log: Logger
  readonly recent: RecentLog
  /** What holds now of the configuration. */
  readonly inForce: () => Resolved
  /** The listeners of this node, where they are open whoever serves. */
  readonly edge: NodeEdge | undefined
  /** Makes a broker, as the configuration says. */
  readonly create: (options: BrokerOptions) => Promise<Broker>
  /** Takes up the configuration as it is now. */
  readonly reload: () => Promise<ReloadAnswer>
  /** Opens its listeners, and what else it has. */
  readonly open: (of: OfNode) => Promise<ServedByNode>
}

/** A broker that is one of several: it serves while its node owns the log. */
export class ClusterBroker {
  readonly #parts: ClusterBrokerParts
  readonly #cluster: ClusterConfig
  #server!: LogServer
  #node!: ClusterNode
  #serving: Broker | undefined
  #served: ServedByNode | undefined
  #requests: Serve | undefined
  #socket: ControlSocket | undefined
  #web!: WebServers
  #look!: ClusterLook

  /** @throws CommandError NATS cannot be used, or an address is taken. */
  static async start(parts: ClusterBrokerParts): Promise<ClusterBroker> {
    const broker = new ClusterBroker(parts)
    try {
      await broker.#start()
      return broker
    } catch (error) {
      await broker.close()
      throw error
    }
  }

  private constructor(parts: ClusterBrokerParts) {
    this.#parts = parts
    this.#cluster = parts.settings.config.cluster!
  }

  /** For the banner: which node it is, and what it relies on. */
  #isSynced = ''

  banner(terminal: Terminal): string {
    const cluster = this.#cluster
    const { edge } = this.#parts
    const where = edge ? `  clients of any node   come in at ${edge.listeners.words.join(', ')}\n` : ''
    return `Node ${nodeName(cluster)} of the cluster ${cluster.name}, on NATS at ${cluster.servers.join(', ')}
${where}\
  the log               ${this.#isSynced}
${webLines(this.#web.told(terminal))}`
  }

  get web(): WebServers {
    return this.#web
  }

  get role(): NodeRole {
    return this.#node.role
  }

  async #start(): Promise<void> {
    const { settings, log } = this.#parts
    const cluster = this.#cluster
    const { name, replicas, logBytes } = cluster
    const { synced, version, warnings } = await askEngine(settings, cluster, log)
    const isSynced =
      synced === true
        ? 'each acknowledged frame is on disk'
        : synced === false
          ? 'NOT on disk before it is acknowledged (allowUnsynced)'
          : 'not known of all servers whether on disk: see cluster.monitoring'
    this.#isSynced = `nats-server ${version}, ${isSynced}`
    if (synced === 'unknown') log.log('warn', warnings.at(-1) ?? '')
    try {
      this.#server = await jetstreamLog({ ...natsOptions(cluster), name, replicas, logBytes, log })
    } catch (error) {
      if (error instanceof EngineUnfit)
        throw new CommandError(`${settings.origin(['cluster', 'servers'])}: ${error.message}`)
      throw error
    }
    const node = this.#makeNode()
    this.#look = new ClusterLook({ name, server: this.#server, node })
    this.#web = await this.#openWeb(node)
    this.#node = node.start()
    this.#node.onChange = () => this.#point()
    this.#point()
    const path = controlPath(settings.config)
    if (path !== undefined) this.#socket = await openSocket(path, this.#answer, log)
    this.#look.start()
  }

  #makeNode(): ClusterNode {
    const { directory, log, create, open, edge, settings } = this.#parts
    const cluster = this.#cluster
    let store: StoreOnDisk | undefined
    const { leaseMs, holdMs, preferred, forward } = cluster
    return makeNode({
      server: this.#server,
      node: nodeName(cluster),
      address: forward?.listen,
      console: settings.config.http.publicUrl,
      directory,
      leaseMs,
      holdMs,
      preferred,
      log,
      create: async (made) => {
        store = made.store as StoreOnDisk
        const sysTopics = () => clusterTopics(this.#look.view)
        const broker = await create({ ...made, sysTopics, ...(edge && { counters: edge.edge.counters }) })
        broker.onFailed = () => this.#node.letGo()
        return broker
      },
      serve: async (broker) => {
        const onRequests = (serve: Serve): void => {
          this.#requests = serve
        }
        this.#served = await open({ store: store!, onRequests, web: this.#web, edge })
        this.#serving = broker
      },
      ended: async () => {
        const served = this.#served
        this.#served = undefined
        this.#serving = undefined
        this.#requests = undefined
        this.#point()
        await served?.close()
      },
    })
  }

  /** For the HTTP API. */
  readonly #shown: Cluster = {
    view: () => this.#look.view,
    handOver: async () => {
      if (this.#node.role !== 'owner') throw new NotEditable(notOwner)
      setImmediate(() => this.#node.handOver()) // whoever asks is answered first
    },
  }

  /** Clients go to who serves now. */
  #point(): void {
    if (!this.#serving) this.#parts.edge?.follow(this.#node.status)
  }

  /** Counters, health and the HTTP API, whoever serves. */
  #openWeb(node: ClusterNode): Promise<WebServers> {
    const { settings, log, recent, inForce, reload, edge } = this.#parts
    return WebServers.open({
      ...{ settings, log, recent, inForce, reload, cluster: this.#shown },
      shown: (delay) =>
        shownOfNode({
          node,
          holdMs: this.#cluster.holdMs,
          broker: () => this.#serving,
          serving: () => this.#web.serving,
          edge: edge?.edge,
          look: this.#look,
          delay,
        }),
    })
  }

  readonly #answer: Serve = async (request, answers) => {
    if (request.request === 'cluster') return answers.end(await this.#deed(request))
    if (this.#requests) return await this.#requests(request, answers)
    if (request.request === 'reload') return answers.end(await this.#parts.reload())
    if (request.request === 'console') {
      return answers.end(loginLinkAnswer(this.#web.http?.loginLink(), this.#parts.log))
    }
    const { role, owner } = this.#node.status
    throw new CommandError(
      `this node is ${role} and serves nobody${owner ? `; ask ${owner.node}, which is the owner` : ''}`,
    )
  }

  async #deed({ deed, from, confirm }: ClusterRequest): Promise<ClusterAnswer> {
    const node = this.#node
    const { log } = this.#parts
    if (from !== undefined) return await this.#recover(from, confirm)
    if (deed !== 'status') log.log('info', `asked for over the control socket: ${deed}`, { node: node.status.node })
    if (deed === 'handover') this.#handOver()
    else if (deed === 'claim') node.claimNow()
    else if (deed === 'freeze') node.frozen = true
    else if (deed === 'thaw') node.frozen = false
    else if (deed === 'recover') node.recover()
    else if (deed === 'snapshot') await node.snapshot()
    await this.#look.look(true)
    return this.#look.view
  }

  /** Tells what would be done; does it once a person has said the words. */
  async #recover(from: string, confirm: string | undefined): Promise<ClusterAnswer> {
    const { status } = this.#node
    const { deed, lines, words } = recoveryPlan({
      cluster: this.#cluster.name,
      from,
      status,
      notes: await this.#notes(),
    })
    const { view } = this.#look
    if (confirm === undefined) return { ...view, plan: { lines, words } }
    if (confirm !== words)
      throw new CommandError(`${JSON.stringify(confirm)} are not the words: say --confirm "${words}"`)
    this.#parts.log.log('warn', `asked for over the control socket: recover from ${from}`, { node: status.node, deed })
    if (deed === 'publish') this.#node.publishCopy()
    else this.#node.recover()
    return view
  }

  /** What the nodes tell of themselves; nothing where the servers of the log do not answer. */
  async #notes(): Promise<readonly NodeNote[]> {
    try {
      return await this.#server.notes()
    } catch (error) {
      if (error instanceof LogSilent) return []
      throw error
    }
  }

  #handOver(): void {
    if (this.#node.role !== 'owner') throw new CommandError(notOwner)
    this.#node.handOver()
  }

  /** Ends in order: an owner hands over. */
  async close(): Promise<void> {
    this.#look?.close()
    await this.#node?.close()
    await this.#parts.edge?.close()
    await this.#socket?.close()
    await this.#web?.close()
    await this.#server?.close()
  }
}

const notOwner = 'this node is not the owner: there is nothing to hand over'
