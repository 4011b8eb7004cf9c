import { BrokerError, type Clock } from '@godwit/broker'
import { NewerFrame } from '../frame/frame.js'
import { BegunAnew, Diverged, Trimmed } from '../log/log-reader.js'
import type { LogServer } from '../log/log-server.js'
import type { NodeVoice } from './node-voice.js'
import type { Premises } from './premises.js'

/** A record in this copy is not what was written, and other nodes have it whole: the copy is set aside and begins anew. */
export class DamagedCopy extends Error {}

/** How long to wait after a failure before the next attempt, in ms. */
const againAfterMs = 1_000
/** How long to wait where only another node can help, by a snapshot, in ms. */
const laterMs = 5_000

interface CopyRescueParts {
  readonly server: LogServer
  readonly premises: Premises
  readonly clock: Clock
  readonly voice: NodeVoice
  /** Whether another node could go on. */
  readonly hasOthers: () => boolean
  /**
   * It cannot go on by itself, for the copy has parted from the log (`diverged`), or the program is too old: settles when a person has
   * decided what becomes of the copy, or when this node ends. True: it is to begin anew.
   */
  readonly whenDecided: (as: 'diverged' | 'starting') => Promise<boolean>
  readonly isClosing: () => boolean
}

/** What becomes of a copy that cannot go on following the log. */
export class CopyRescue {
  readonly #parts: CopyRescueParts
  #wake: () => void = () => {}

  constructor(parts: CopyRescueParts) {
    this.#parts = parts
  }

  /** This node ends: nobody waits any longer. */
  wake(): void {
    this.#wake()
  }

  /**
   * Following has failed with this error: does what can be done about it, and settles when following may be tried again. @throws what the
   * disk says.
   */
  async after(error: unknown): Promise<void> {
    const { voice, isClosing, hasOthers } = this.#parts
    if (isClosing()) return
    if (error instanceof Trimmed) return await this.#catchUp(error)
    if (error instanceof Diverged) return await this.#decide(error, 'diverged')
    if (error instanceof NewerFrame) return await this.#decide(error, 'starting') // nothing is wrong with the copy
    if (error instanceof DamagedCopy || (isDamage(error) && hasOthers())) return await this.#beginAnew(error.message)
    voice.tell(error instanceof Error ? error.message : String(error))
    await this.#pause(againAfterMs)
  }

  /** Nothing is claimed until a person has decided. */
  async #decide(error: Error, as: 'diverged' | 'starting'): Promise<void> {
    const { voice, whenDecided } = this.#parts
    voice.tell(error.message)
    if (await whenDecided(as)) await this.#beginAnew(error.message)
  }

  async #beginAnew(why: string): Promise<void> {
    const { premises, voice } = this.#parts
    const kept = await premises.setAside()
    voice.say('warn', 'the copy was set aside, and begins anew', { why, kept })
    voice.goesOn()
  }

  /** The log is trimmed past this copy: it goes on from a snapshot. */
  async #catchUp(trimmed: Trimmed): Promise<void> {
    const { server, premises, voice } = this.#parts
    const { message: why } = trimmed
    try {
      const [newest] = await server.snapshots()
      if (!newest) {
        voice.tell(`${why}, and there is no snapshot yet: another node will make one`)
        return await this.#pause(laterMs)
      }
      voice.say('info', 'goes on from a snapshot', { snapshot: newest.name, bytes: newest.bytes })
      if (trimmed instanceof BegunAnew)
        voice.say('warn', 'the copy is kept aside', { why, kept: await premises.setAside() })
      await premises.replace((file) => server.getSnapshot(newest, file))
      voice.goesOn()
    } catch (error) {
      voice.tell(`${why}, and a snapshot cannot be had (${(error as Error).message})`)
      await this.#pause(againAfterMs)
    }
  }

  #pause(ms: number): Promise<void> {
    const { clock, isClosing } = this.#parts
    return new Promise((resolve) => {
      const cancel = clock.timeout(ms, resolve)
      this.#wake = () => {
        if (!isClosing()) return
        cancel()
        resolve()
      }
      this.#wake()
    })
  }
}

function isDamage(error: unknown): error is BrokerError {
  return error instanceof BrokerError && error.code === 'store-damaged'
}
