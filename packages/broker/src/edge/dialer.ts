import type { Ground } from '../basics.js'
import { QuietLines } from '../log.js'
import type { Transport } from '../transport/transport.js'
import type { Dial, NodeAddress } from './node-dial.js'

/** The node that serves, by one of its claims to do so. */
export interface OwnerNode extends NodeAddress {
  /**
   * What tells one claim from another, as its epoch: connections to who has made an earlier one end, also where that was the same
   * node.
   */
  readonly claim: string
}

/** A client that needs a connection to the owner. */
export interface Caller {
  /** Here it is. */
  opened(node: Transport, owner: OwnerNode): void
}

/** Attempts at once at first, and after one that has failed; each that succeeds lets one more. */
const leastAtOnce = 4
const mostAtOnce = 256
/** How long after a failure nobody tries. */
const restMs = 250

/**
 * Makes the connections to the owner: first come, first served, few at once while nothing is known of it and more with each that
 * succeeds, so that all clients of a node do not fall upon one that has just begun.
 */
export class Dialer {
  readonly #dial: Dial
  readonly #ground: Pick<Ground, 'metrics' | 'clock'>
  readonly #lines: QuietLines
  readonly #line = new Set<Caller>()
  /** What ends the attempts that are under way. */
  readonly #underWay = new Map<Caller, () => void>()
  #owner: OwnerNode | undefined
  #most = leastAtOnce
  #cancelRest: (() => void) | undefined

  constructor(dial: Dial, ground: Pick<Ground, 'metrics' | 'clock' | 'log' | 'wheel'>) {
    this.#dial = dial
    this.#ground = ground
    this.#lines = new QuietLines(ground.log, (ms, callback) => void ground.wheel.after(ms, callback))
  }

  /** `undefined`: there is none, and whoever asks waits. */
  setOwner(owner: OwnerNode | undefined): void {
    if (this.#owner?.claim === owner?.claim) return
    this.#owner = owner
    for (const [caller, end] of this.#underWay) {
      end()
      this.#line.add(caller)
    }
    this.#underWay.clear()
    this.#most = leastAtOnce
    this.#cancelRest?.()
    this.#cancelRest = undefined
    this.#goOn()
  }

  get hasOwner(): boolean {
    return this.#owner !== undefined
  }

  ask(caller: Caller): void {
    this.#line.add(caller)
    this.#goOn()
  }

  /** It needs none any more. */
  withdraw(caller: Caller): void {
    this.#line.delete(caller)
    this.#underWay.get(caller)?.()
    if (this.#underWay.delete(caller)) this.#goOn()
  }

  close(): void {
    this.setOwner(undefined)
    this.#line.clear()
  }

  #goOn(): void {
    for (const caller of this.#line) {
      if (!this.#owner || this.#cancelRest || this.#underWay.size >= this.#most) return
      this.#line.delete(caller)
      this.#try(caller, this.#owner)
    }
  }

  #try(caller: Caller, owner: OwnerNode): void {
    const opened = (node: Transport): void => {
      this.#underWay.delete(caller)
      this.#most = Math.min(this.#most + 1, mostAtOnce)
      this.#ground.metrics.forward.connections++
      caller.opened(node, owner)
      this.#goOn()
    }
    const failed = (why: string): void => {
      this.#underWay.delete(caller)
      this.#line.add(caller)
      this.#failed(owner, why)
    }
    this.#underWay.set(caller, this.#dial.open(owner, opened, failed))
  }

  #failed({ host, port }: OwnerNode, why: string): void {
    this.#ground.metrics.forward.failures++
    const node = `${host}:${port}`
    const one = 'no connection to the node that serves; its clients wait'
    this.#lines.tell({
      level: 'warn',
      kind: why,
      one,
      many: 'times that was so',
      fields: { node, why },
      common: { node, why },
    })
    this.#most = leastAtOnce
    this.#cancelRest?.()
    this.#cancelRest = this.#ground.clock.timeout(restMs, () => {
      this.#cancelRest = undefined
      this.#goOn()
    })
  }
}
