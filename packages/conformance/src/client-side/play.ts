import type { Check } from '../check.js'
import type { Connection } from './connection.js'
import type { Launch } from './launch.js'
import type { Scenario } from './scenario.js'
import { Stage } from './stage.js'

/** What the server does during one start of the client. What came of it can be judged by many statements. */
export interface Play<T> {
  readonly scenario: Scenario
  /** Throws CheckSkipped when the client does not do what the scenario is about. */
  readonly run: (stage: Stage) => Promise<T>
}

/** A play that has been played. */
interface Played<T> {
  readonly outcome: Promise<T>
  /** Of the client, in their order; there also when the play was ended by a throw. */
  readonly connections: readonly Connection[]
  readonly transcript: readonly string[]
}

/** The plays of one version against one client: each is played once, when a check first asks for it. */
export class Playhouse {
  readonly version: Check['version']
  readonly #launch: Launch
  readonly #played = new Map<Play<unknown>, Played<unknown>>()
  readonly #turn: <T>(work: () => Promise<T>) => Promise<T>

  /** @param turn starts work when its turn has come, so that not too many clients run at once */
  constructor(version: Check['version'], launch: Launch, turn: <T>(work: () => Promise<T>) => Promise<T>) {
    this.version = version
    this.#launch = launch
    this.#turn = turn
  }

  see<T>(play: Play<T>): Played<T> {
    const known = this.#played.get(play) ?? this.#begin(play)
    this.#played.set(play, known)
    return known as Played<T>
  }

  #begin(play: Play<unknown>): Played<unknown> {
    const stage = new Stage(this.version)
    const outcome = this.#turn(async () => {
      try {
        await stage.open(this.#launch, play.scenario)
        return await play.run(stage)
      } finally {
        await stage.close()
      }
    })
    return { outcome, transcript: stage.transcript, connections: stage.connections }
  }
}

/** What a check sees: the plays it asks for, and what was said in them. */
export class ClientTrial {
  readonly #playhouse: Playhouse
  readonly #seen = new Set<readonly string[]>()

  constructor(playhouse: Playhouse) {
    this.#playhouse = playhouse
  }

  get transcript(): readonly string[] {
    return [...this.#seen].flat()
  }

  /** What came of a play; throws what it threw. */
  see<T>(play: Play<T>): Promise<T> {
    const { outcome, transcript } = this.#playhouse.see(play)
    this.#seen.add(transcript)
    return outcome
  }

  /** The connections of a play, however it ended. */
  async connections(play: Play<unknown>): Promise<readonly Connection[]> {
    await this.see(play).catch(() => {}) // what it threw is told by the checks that judge its outcome
    return this.#playhouse.see(play).connections
  }
}
