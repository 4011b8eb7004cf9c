import { type Around, BrokerLife, type Standing } from '../broker-life.js'
import { CommandError } from '../command-error.js'
import type { Resolved } from '../config/resolve.js'
import type { ReloadAnswer } from '../control/control-protocol.js'
import { type Reloadable, Reloading } from '../control/reloading.js'
import { edgePart, logPart } from '../control/settings-part.js'
import { tryOut } from '../control/trial.js'
import type { WebServers } from '../http/web-servers.js'
import type { ServedByNode } from './cluster-broker.js'
import type { NodeEdge } from './node-edge.js'

interface StandbyParts {
  readonly settings: Resolved
  readonly around: Around
  /** Left out: listeners are open only while the node serves. */
  readonly edge: NodeEdge | undefined
  /** Those of its node. */
  readonly web: () => WebServers
  /** A broker has been made, and does not serve yet. */
  readonly isTakingOver: () => boolean
}

/** The lives of a node's broker, one after another, and what follows the configuration between them. */
export class Standby {
  readonly #parts: StandbyParts
  #inForce: Resolved
  /** The one that comes next, where it is prepared. */
  #next: BrokerLife | undefined
  #serving: BrokerLife | undefined
  #last: Promise<unknown> = Promise.resolve()

  /** @param first is prepared already: what is wrong with it has ended the start. */
  constructor(first: BrokerLife, parts: StandbyParts) {
    this.#next = first
    this.#inForce = parts.settings
    this.#parts = parts
  }

  /** With the configuration as it was taken up last. @throws CommandError */
  async next(): Promise<BrokerLife> {
    this.#next ??= await BrokerLife.prepare(this.#inForce, this.#parts.around)
    return this.#next
  }

  /** Clients are let in. */
  async open(standing: Standing): Promise<ServedByNode> {
    const life = this.#next!
    const close = async (): Promise<void> => {
      this.#inForce = life.inForce
      this.#serving = undefined
      this.#next = undefined
      await life.close()
    }
    try {
      await life.open({ ...standing, reloadable: this.#ofEdge() })
    } catch (error) {
      await close() // the next one begins anew
      throw error
    }
    this.#serving = life
    return { close }
  }

  /** What holds now of the configuration. */
  get inForce(): Resolved {
    return this.#serving?.inForce ?? this.#inForce
  }

  /** Takes up the configuration as it is now, whether the node serves or follows; one after another, whoever asks. */
  reload(): Promise<ReloadAnswer> {
    const answer = this.#last.then(() => (this.#serving ? this.#serving.reload() : this.#reload()))
    this.#last = answer.catch(() => {})
    return answer
  }

  /** What is open now follows at once; who may come in, plugins and bridges when the node serves next. */
  async #reload(): Promise<ReloadAnswer> {
    const { around, edge, web, isTakingOver } = this.#parts
    const { log, read, sockets } = around
    if (isTakingOver()) throw new CommandError('this node is taking over: ask again when it serves')
    log.reopen() // whatever becomes of the rest: the file may have been renamed
    const reloading = new Reloading({
      started: this.#inForce,
      read,
      check: (next) => tryOut(next, sockets),
      parts: [logPart(log, this.#inForce), ...this.#ofEdge(), ...(edge ? [edge.listeners] : []), web()],
      log,
    })
    const answer = await reloading.reload()
    this.#inForce = reloading.inForce
    const stale = this.#next
    this.#next = undefined
    await stale?.close()
    return answer
  }

  #ofEdge(): readonly Reloadable[] {
    const { edge } = this.#parts
    return edge ? [edgePart(edge.edge, this.#inForce)] : []
  }
}
