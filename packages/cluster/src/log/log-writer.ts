import type { Clock } from '@godwit/broker'
import type { Write } from '@godwit/broker/store/lmdb'
import { decodeFrame, encodeFrame, type Frame, type FrameKind } from '../frame/frame.js'
import { cut, encodeWrites } from '../frame/writes.js'
import { pause } from '../pause.js'
import { type LogServer, LogSilent, type PublishAnswer } from './log-server.js'
import { type OwnerNote, type Position, positionOf, writeHeir, writeOwner } from './position.js'

/** Another writes the log now: nothing that was not taken before will ever be, and nothing may be acknowledged. */
export class Fenced extends Error {}

/** Bytes of writes in one frame: servers take 1 MiB a message by default, and answer smaller ones sooner. */
export const partBytes: number = 256 * 1024

/** How long until a frame is sent again of which nobody knows what became: at first, doubling, and at most. */
const firstRetryMs = 20
const lastRetryMs = 250
/**
 * How long an answer may take, in ms: at first, and once there was none, for a leader that was just elected is to have the frame soon: a
 * node that follows gives an owner that lives hardly longer than both (see Lease).
 */
const firstAnswerMs = 2_000
const nextAnswerMs = 500

export interface LogWriterOptions {
  readonly server: LogServer
  readonly clock: Clock
  /** The one it claims, and then writes in. */
  readonly epoch: number
  /** 128 random bits, 32 digits. */
  readonly instance: string
  /** The sequence after which it claims: all before that its node has. 0: the log is empty. */
  readonly after: number
  readonly owner: OwnerNote
  /** Default {@link partBytes}. */
  readonly mostPartBytes?: number
}

/**
 * Writes the log as its owner. One frame is under way, and names the sequence it must follow on: an owner that has been replaced
 * cannot write, and finds out with its next frame. That alone is the fence. A frame that a server says it has refused, or never answers,
 * is looked for by its writer: it may have been taken all the same.
 */
export class LogWriter {
  readonly epoch: number
  readonly instance: string
  /** Since when no frame was answered as it should, on the monotonic clock, in ms; `undefined`: all is well. */
  silentSince: number | undefined
  /** The stream takes no more. */
  isFull = false
  /** When a frame was last taken, on the monotonic clock, in ms. */
  lastTakenAt = 0
  /** Called with each frame that was taken, and its bytes. */
  onTaken: (bytes: number) => void = () => {}
  /** Called once, when another has been found to write. */
  onFenced: (why: Fenced) => void = () => {}
  /** Until it settles no commit is begun: the stream has hardly room for more than who owns it. */
  mayCommit: () => Promise<void> = async () => {}
  readonly #server: LogServer
  readonly #clock: Clock
  #after: number
  readonly #owner: OwnerNote
  readonly #mostPartBytes: number
  #position: Position | undefined
  #commit = 0
  #turn: Promise<unknown> = Promise.resolve()
  #end: Fenced | undefined

  constructor({ server, clock, epoch, instance, after, owner, mostPartBytes = partBytes }: LogWriterOptions) {
    this.#server = server
    this.#clock = clock
    this.epoch = epoch
    this.instance = instance
    this.#after = after
    this.#owner = owner
    this.#mostPartBytes = mostPartBytes
  }

  /** The last frame that it has written, or that was there before. */
  get written(): number {
    return this.#after
  }

  /** Whether a frame is under way, or waits. */
  isBusy = false

  /**
   * Begins an epoch, if nothing has come after what its node has.
   * @throws Fenced when something has.
   */
  claim(): Promise<Position> {
    return this.#inTurn('claim', [writeOwner(this.#owner)])
  }

  /** Settles when the writes cannot be lost any more. @throws Fenced */
  async commit(writes: readonly Write[]): Promise<Position> {
    await this.mayCommit()
    return await this.#inTurn('commit', cut(encodeWrites(writes), this.#mostPartBytes))
  }

  /** Says that it is still there. @throws Fenced */
  heartbeat(): Promise<Position> {
    return this.#inTurn('heartbeat', [nothing])
  }

  /** Asks all who follow how far they have come: they tell once they have this frame. @throws Fenced */
  ask(): Promise<Position> {
    return this.#inTurn('heartbeat', [question])
  }

  /** Says that it has let go, and writes nothing more. @param heir who is to come first. Default: whoever does. @throws Fenced */
  release(heir?: string): Promise<Position> {
    return this.#inTurn('released', [writeHeir(heir)])
  }

  /** Gives up what is under way: nobody waits for it any more. */
  end(why = 'this node has ended'): void {
    this.#end ??= new Fenced(why)
  }

  async #inTurn(kind: FrameKind, bodies: readonly Uint8Array[]): Promise<Position> {
    const before = this.#turn
    let done: () => void = () => {}
    this.#turn = new Promise<void>((resolve) => {
      done = resolve
    })
    await before
    this.isBusy = true
    try {
      return await this.#writeRun(kind, bodies)
    } finally {
      this.isBusy = false
      done()
    }
  }

  async #writeRun(kind: FrameKind, bodies: readonly Uint8Array[]): Promise<Position> {
    const commit = this.#commit++
    for (const [part, body] of bodies.entries()) {
      const frame: Frame = {
        kind,
        partition: 0,
        epoch: this.epoch,
        instance: this.instance,
        commit,
        part,
        parts: bodies.length,
        after: this.#after,
        wall: this.#clock.now(),
        body,
      }
      const bytes = encodeFrame(frame)
      const sequence = await this.#put(frame, bytes)
      this.#after = sequence
      this.lastTakenAt = this.#clock.monotonic()
      this.onTaken(bytes.length)
      this.#position = positionOf(sequence, frame, bytes, this.#position)
    }
    if (kind === 'released') this.end('this node has let go') // whoever reads on would take it for the owner again
    return this.#position!
  }

  /** Until it is taken, or another has written: answers its sequence. */
  async #put(frame: Frame, bytes: Uint8Array): Promise<number> {
    const began = this.#clock.monotonic()
    for (let attempt = 0; ; attempt++) {
      if (this.#end) throw this.#end
      const answer = await this.#server.publish(bytes, frame.after, attempt === 0 ? firstAnswerMs : nextAnswerMs)
      const sequence = await this.#sequenceOf(answer, frame)
      this.isFull = answer === 'full'
      if (sequence !== undefined) {
        this.silentSince = undefined
        return sequence
      }
      this.silentSince ??= began
      await pause(this.#clock, Math.min(lastRetryMs, firstRetryMs * 2 ** attempt))
    }
  }

  async #sequenceOf(answer: PublishAnswer, frame: Frame): Promise<number | undefined> {
    if (typeof answer === 'number') return answer
    if (answer !== 'look') return undefined
    try {
      return await this.look(frame)
    } catch (error) {
      if (error instanceof LogSilent) return undefined
      const why = error instanceof Fenced ? error : new Fenced(String(error))
      if (!this.#end) this.onFenced(why)
      this.#end ??= why
      throw this.#end
    }
  }

  /**
   * Whether the frame was taken after all: its sequence, or `undefined`: not yet, send it again.
   * @throws Fenced, LogSilent
   */
  protected async look(frame: Frame): Promise<number | undefined> {
    const last = await this.#server.last()
    if (!last) return undefined
    const found = decodeFrame(last.bytes)
    if (isSame(found, frame)) return last.sequence
    if (last.sequence <= frame.after && found.epoch <= this.epoch) return undefined
    throw new Fenced(`epoch ${found.epoch} has begun, and this node has ${frame.epoch}`)
  }
}

const nothing = new Uint8Array(0)
const question = Buffer.from('?')

function isSame(one: Frame, other: Frame): boolean {
  return one.instance === other.instance && one.commit === other.commit && one.part === other.part
}
