import type { Clock } from '@godwit/broker'
import type { LogServer } from '../log/log-server.js'
import { Fenced, type LogWriter } from '../log/log-writer.js'
import { pause } from '../pause.js'
import { findHeir } from './heir.js'
import type { LogRoom } from './log-room.js'
import type { NodeVoice } from './node-voice.js'
import type { LoadedBroker } from './premises.js'
import type { ReplicatedLog } from './replicated-log.js'

const lookEveryMs = 1_000
/** So many heartbeats in a lease, and one a second at least: one that is late makes nobody take over. */
const heartbeatsInLease = 3
const mostHeartbeatMs = 1_000

/**
 * Why an owner stops: another has taken over, a person wants another to serve, its disk is down to its reserve, this node ends, its disk
 * does not take what is safe, a record on it is not what was written, or its broker cannot serve.
 */
export type Ending = 'fenced' | 'handover' | 'low' | 'closing' | 'disk' | 'damaged' | 'broken'

export const diskLow = 'its disk is down to its reserve'

/** For these it ends only if another takes over. */
const goesOn: ReadonlyMap<Ending, string> = new Map([
  ['handover', 'it was asked to hand over'],
  ['low', diskLow],
])

interface OwnershipParts {
  /** The name of this node. */
  readonly node: string
  readonly server: LogServer
  readonly clock: Clock
  readonly log: ReplicatedLog
  readonly broker: LoadedBroker
  readonly writer: LogWriter
  readonly room: LogRoom
  readonly voice: NodeVoice
  /** After so long without a frame another node claims, in ms; a server that does not answer is waited for no longer at the end. */
  readonly leaseMs: number
  /** Told of each frame that was taken. */
  readonly onTaken: (bytes: number) => void
  /** Called when another has been found to serve. */
  readonly onFenced: () => void
}

/** One node's time as the owner, from its claim until it has to let go, or lets go. */
export class Ownership {
  readonly #parts: OwnershipParts
  #isOver = false
  #isFenced = false
  #ending!: Promise<Ending>
  #end!: (why: Ending) => void

  constructor(parts: OwnershipParts) {
    this.#parts = parts
    this.#expect()
    const { writer, log, voice } = parts
    writer.onFenced = () => {
      this.#isFenced = true
      this.#end('fenced')
    }
    writer.mayCommit = () => this.#untilRoom()
    writer.onTaken = (bytes) => {
      parts.room.wrote(bytes)
      parts.onTaken(bytes)
    }
    log.onDiskFailed = (error) => {
      voice.tell(`its disk does not take what is safe (${error.message})`)
      this.#end('disk')
    }
    log.onDamaged = () => this.#end('damaged')
    log.onDiskLow = () => this.#end('low')
  }

  /** Asks it to end. The first reason counts, until it turns out that the node has to go on. */
  end(why: Ending): void {
    this.#end(why)
  }

  /** Waits for the next reason to end. */
  #expect(): void {
    this.#ending = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /**
   * The log is this node's: clients are let in, until it ends. Settles when the broker has ended.
   * @returns why it ended.
   */
  async serve(): Promise<Ending> {
    const { writer, clock, log, broker, voice } = this.#parts
    writer.lastTakenAt = clock.monotonic()
    log.begin(writer)
    void this.#beat()
    broker.serve().catch((error: Error) => {
      voice.tell(`it cannot serve (${error.message})`)
      this.#end('broken')
    })
    try {
      for (;;) {
        const why = await this.#ending
        if (why === 'fenced') {
          await this.#leave()
          return why
        }
        const ended = await this.#letGo(why)
        if (ended !== undefined) return ended
      }
    } finally {
      this.#isOver = true
      writer.end()
    }
  }

  /** At once: another serves, or nothing more can be written. */
  async #leave(): Promise<void> {
    const { log, broker, onFenced } = this.#parts
    if (this.#isFenced) onFenced()
    log.refuse(new Fenced('another node serves'))
    await broker.abandon()
  }

  /** In order, as far as that can be. `undefined`: it goes on, since nobody would take over, and a person has only asked for it. */
  async #letGo(why: Ending): Promise<Ending | undefined> {
    const { broker, writer, log, voice } = this.#parts
    this.#expect()
    const isOver = this.#endWhenSilent()
    try {
      if (why === 'damaged') await broker.abandon() // nothing more is written that stands on what was read
      const heir = await this.#heir()
      if (goesOn.has(why) && heir === undefined) {
        voice.tell(`${goesOn.get(why)}, and no other node has all there is and may take over: it goes on`)
        return undefined
      }
      if (why === 'low') voice.tell(diskLow) // nobody hands over to it
      voice.say('info', 'this node lets go of the log', { why, heir: heir ?? 'whoever comes' })
      const stopped = why === 'damaged' ? undefined : broker.stop()
      stopped?.catch(() => {}) // it is waited for below, unless something else fails before
      // Whoever comes next need not wait for clients that take their time to close.
      await Promise.race([stopped, log.closed])
      await writer.release(heir)
      await stopped
    } catch (error) {
      if (!(error instanceof Fenced)) voice.tell(`it could not end in order (${(error as Error).message})`)
      await this.#leave()
    } finally {
      isOver()
    }
    return this.#isFenced ? 'fenced' : why
  }

  async #heir(): Promise<string | undefined> {
    const { server, clock, node, writer, voice } = this.#parts
    const onWait = (): void => voice.say('info', 'waits until another node has all there is, to hand over to it')
    return await findHeir({ server, clock, node, writer, onWait })
  }

  /** Gives up what is under way when no server answers for {@link OwnershipParts.patienceMs}. */
  #endWhenSilent(): () => void {
    const { writer, clock, leaseMs } = this.#parts
    let isOver = false
    const look = (): void => {
      const { silentSince } = writer
      if (isOver) return
      if (silentSince !== undefined && clock.monotonic() - silentSince > leaseMs)
        writer.end('the engine does not answer')
      clock.timeout(lookEveryMs, look)
    }
    look()
    return () => {
      isOver = true
    }
  }

  /** The stream is nearly full: commits wait until it is trimmed, so that heartbeats and claims still fit. */
  async #untilRoom(): Promise<void> {
    const { room, voice, clock } = this.#parts
    while (room.isFull && !this.#isOver) {
      voice.tell(
        'the log is nearly full: nothing is acknowledged until a snapshot lets it be trimmed, or its stream is given more (max_bytes)',
      )
      await pause(clock, lookEveryMs / 4)
    }
  }

  /** Says that it is there when nothing else does. */
  async #beat(): Promise<void> {
    const { writer, clock, leaseMs } = this.#parts
    const everyMs = Math.min(mostHeartbeatMs, leaseMs / heartbeatsInLease)
    while (!this.#isOver) {
      const quietMs = clock.monotonic() - writer.lastTakenAt
      try {
        if (quietMs >= everyMs && !writer.isBusy) await writer.heartbeat()
      } catch {
        return // its end has been told
      }
      await pause(clock, Math.max(50, everyMs - (clock.monotonic() - writer.lastTakenAt)))
    }
  }
}
