import type { ByteStream, Target } from '../../src/target.js'
import { ResponderClock } from './clock.js'
import type { Liberty } from './liberties.js'
import { Link, type Services } from './link.js'
import { Registry } from './registry.js'
import { Router } from './router.js'
import type { World } from './world.js'

/**
 * A small server of MQTT 3.1.1 and 5.0 that does everything at once: what a client sends has been answered, and
 * delivered to others, when its write returns. It keeps every rule but those it is told to break.
 */
export class Responder implements Target {
  /** Whatever comes has come already. */
  readonly patienceMs = 0
  /** The rules that were come to so far: a fault in any other would have changed nothing. */
  readonly asked: ReadonlySet<string>
  /** The liberties that made a difference, or could have. */
  readonly taken: ReadonlySet<Liberty>
  readonly #clock = new ResponderClock()
  readonly #services: Services

  /** @param choices names of the rules that are broken, see `mutations.ts`, and of `liberties.ts` */
  constructor(...choices: readonly string[]) {
    const asked = new Set<string>()
    this.asked = asked
    const mutated = (fault: string): boolean => asked.add(fault) && choices.includes(fault)
    const taken = new Set<Liberty>()
    this.taken = taken
    const chooses = (liberty: Liberty): boolean => choices.includes(liberty) && taken.add(liberty).size > 0
    const world: World = { clock: this.#clock, mutated, chooses }
    const router = new Router(world)
    this.#services = { world, router, registry: new Registry(world, router) }
  }

  async open(): Promise<ByteStream> {
    return new Link(this.#services).stream
  }

  async sleep(ms: number): Promise<void> {
    this.#clock.advance(ms)
  }

  async settled(): Promise<void> {}
}
