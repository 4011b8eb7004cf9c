import type { Commit } from '@godwit/broker'
import { positionWrite, type Write } from '@godwit/broker/store/lmdb'
import { decodeFrame, encodeFrame, type Frame, isLastPart } from '../../src/frame/frame.js'
import { LogReader } from '../../src/log/log-reader.js'
import type { PublishAnswer, SnapshotNote, StoredFrame } from '../../src/log/log-server.js'
import type { LogWriter, LogWriterOptions } from '../../src/log/log-writer.js'
import { encodePosition, type Position } from '../../src/log/position.js'
import type { Follower } from '../../src/node/follower.js'
import { Housekeeping, type HousekeepingParts } from '../../src/node/housekeeping.js'
import type { Lease } from '../../src/node/lease.js'
import type { FollowingCopy } from '../../src/node/premises.js'
import { ReplicatedLog } from '../../src/node/replicated-log.js'
import { type Making, ModelNode, sound } from './cluster-model.js'
import { ModelBroker, type ModelBrokerParts, type ModelReader } from './model-broker.js'
import type { Disk } from './model-disk.js'
import { ModelPremises } from './model-premises.js'
import { Door } from './model-stream.js'

/** Each is what somebody might well write. The model must tell each from what is right. */
export const mistakes: Readonly<Record<string, Making>> = {
  'a message id, which servers look at before the expected sequence': {
    ...sound,
    door: (...of) => new DoorWithIds(...of),
  },
  'the last frame is asked of any server, which may be behind': { ...sound, door: (...of) => new DoorToAnybody(...of) },
  'the epoch of who wrote meanwhile is not compared': { ...sound, door: (...of) => new DoorThatGoesOn(...of) },
  'answers that write nothing wait for nothing': {
    ...sound,
    node: (parts) => new NodeWithLog(parts, (of) => new LogWithoutBarrier(of)),
  },
  'applied before it is acknowledged': {
    ...sound,
    node: (parts) => new NodeWithLog(parts, (of) => new LogThatAppliesFirst(of)),
  },
  'claims without having followed': { ...sound, node: (parts) => new NodeThatClaimsBlindly(parts) },
  'claims with what it loaded before': { ...sound, premises: (...of) => new PremisesThatLoadEarly(...of) },
  'parts of several commits are mixed': { ...sound, node: (parts) => new NodeWithReader(parts, MixingReader) },
  'a copy that has parted from the log follows it': {
    ...sound,
    node: (parts) => new NodeWithReader(parts, TrustingReader),
  },
  'trimmed further than the snapshots reach': { ...sound, node: (parts) => new NodeThatTrims(parts, TrimsTooFar) },
  'the last frame is removed too': { ...sound, node: (parts) => new NodeThatTrims(parts, TrimsAll) },
  'wills go out with the claim': { ...sound, premises: (...of) => new PremisesWith(BrokerWithoutGrace, ...of) },
  'a message at QoS 1 leaves before its commit': {
    ...sound,
    node: (parts) => new NodeWithLog(parts, (of) => new LogThatSendsEarly(of)),
  },
  'what may have been sent is counted by the window of the new connection': {
    ...sound,
    premises: (...of) => new PremisesWith(BrokerWithNewWindow, ...of),
  },
  'time without an owner lets things expire': {
    ...sound,
    node: (parts) => new NodeWithLog(parts, (of) => new LogWithoutStop(of)),
  },
}

class DoorWithIds extends Door {
  protected override handle(bytes: Uint8Array, after: number): PublishAnswer | undefined {
    const { epoch, commit, part } = decodeFrame(bytes)
    const id = `${epoch}/${commit}/${part}`
    const known = this.stream.ids.get(id)
    if (known !== undefined) return known // "duplicate", which is success
    const answer = super.handle(bytes, after)
    if (typeof answer === 'number') this.stream.ids.set(id, answer)
    return answer
  }
}

class DoorToAnybody extends Door {
  override async last(): Promise<StoredFrame | undefined> {
    const { random } = this.simulation
    const answered = this.leaderAnsweredAt
    await this.simulation.pause(random.below(6))
    const behind = random.chance(0.5) ? random.below(4) : 0
    this.leaderAnsweredAt = answered // it was not asked, which is the point
    return this.stream.frames.at(-1 - behind)
  }
}

class DoorThatGoesOn extends Door {
  override async publish(bytes: Uint8Array, after: number, withinMs: number): Promise<PublishAnswer> {
    const answer = await super.publish(bytes, after, withinMs)
    if (answer !== 'look') return answer
    const last = await this.last().catch(() => undefined)
    if (!last || last.sequence <= after) return 'silent'
    const again = encodeFrame({ ...decodeFrame(bytes), after: last.sequence })
    return await super.publish(again, last.sequence, withinMs)
  }
}

/** A node with a log of another make. */
class NodeWithLog extends ModelNode {
  readonly #make: (of: Position | undefined) => ReplicatedLog

  constructor(parts: ConstructorParameters<typeof ModelNode>[0], make: (of: Position | undefined) => ReplicatedLog) {
    super(parts)
    this.#make = make
  }

  protected override makeLog(position: Position | undefined): ReplicatedLog {
    return this.#make(position)
  }
}

class LogWithoutBarrier extends ReplicatedLog {
  override barrier(): Commit {
    return 0 as Commit
  }
}

class LogThatAppliesFirst extends ReplicatedLog {
  override async append(commit: Commit, writes: readonly Write[]): Promise<void> {
    const { applied } = this
    const guessed = applied && positionWrite(encodePosition({ ...applied, sequence: applied.sequence + 1 }))
    if (this.hasBegun && guessed) await this.disk.once([...writes, guessed]).catch(() => {})
    return await super.append(commit, writes)
  }
}

class NodeThatClaimsBlindly extends ModelNode {
  #last: Frame | undefined
  #sequence = 0

  #frames = 0
  #quietSince = 0

  /** Nothing has come for the lease: what the leader has does not matter. */
  protected override isDue(follower: Follower, lease: Lease, now: number): boolean {
    void this.parts.server.last().then(
      (last) => {
        this.#last = last && decodeFrame(last.bytes)
        this.#sequence = last?.sequence ?? 0
      },
      () => {},
    )
    if (follower.frames !== this.#frames) this.#quietSince = now
    this.#frames = follower.frames
    return now - this.#quietSince > 3_000 || super.isDue(follower, lease, now)
  }

  protected override writer(options: LogWriterOptions): LogWriter {
    const epoch = Math.max(options.epoch, (this.#last?.epoch ?? 0) + 1)
    return super.writer({ ...options, epoch, after: Math.max(options.after, this.#sequence) })
  }
}

class PremisesThatLoadEarly extends ModelPremises {
  #early: Disk | undefined

  override open(): Promise<FollowingCopy> {
    this.#early = { lists: new Map(this.disk.lists), position: undefined }
    return super.open()
  }

  protected override get loadedFrom(): Disk {
    return this.#early ?? super.loadedFrom
  }
}

type BrokerClass = new (parts: ModelBrokerParts) => ModelBroker

class PremisesWith extends ModelPremises {
  readonly #make: BrokerClass

  constructor(make: BrokerClass, ...of: ConstructorParameters<typeof ModelPremises>) {
    super(...of)
    this.#make = make
  }

  protected override makeApp(parts: ModelBrokerParts): ModelBroker {
    return new this.#make(parts)
  }
}

class BrokerWithoutGrace extends ModelBroker {
  protected override get graceMs(): number {
    return 0
  }
}

class BrokerWithNewWindow extends ModelBroker {
  protected override mayHaveBeenGiven({ head }: { readonly head: number }, { window }: ModelReader): number {
    return head + window
  }
}

class LogThatSendsEarly extends ReplicatedLog {
  override beforeQos1(): Commit {
    return 0 as Commit
  }
}

class LogWithoutStop extends ReplicatedLog {
  override readonly stoppedAt: number | undefined = undefined
}

type ReaderClass = new (position: Position | undefined) => LogReader

class NodeWithReader extends ModelNode {
  readonly #make: ReaderClass

  constructor(parts: ConstructorParameters<typeof ModelNode>[0], make: ReaderClass) {
    super(parts)
    this.#make = make
  }

  protected override reader(position: Position | undefined): LogReader {
    return new this.#make(position)
  }
}

class MixingReader extends LogReader {
  #gathered: Frame[] = []

  protected override gather(frame: Frame): readonly Frame[] | undefined {
    if (frame.kind !== 'commit') return [frame]
    this.#gathered.push(frame)
    if (!isLastPart(frame)) return undefined
    const run = this.#gathered
    this.#gathered = []
    return run
  }
}

class TrustingReader extends LogReader {
  protected override ensureSame(): void {}
  protected override ensureFollows(): void {}
}

type HousekeepingClass = new (parts: HousekeepingParts) => Housekeeping

class NodeThatTrims extends ModelNode {
  readonly #make: HousekeepingClass

  constructor(parts: ConstructorParameters<typeof ModelNode>[0], make: HousekeepingClass) {
    super(parts)
    this.#make = make
  }

  protected override housekeeping(parts: HousekeepingParts): Housekeeping {
    return new this.#make(parts)
  }
}

class TrimsTooFar extends Housekeeping {
  protected override async trimPoint(snapshots: readonly SnapshotNote[]): Promise<number | undefined> {
    return snapshots[1] && (await this.parts.server.state()).last
  }
}

class TrimsAll extends Housekeeping {
  protected override async trimPoint(): Promise<number | undefined> {
    return (await this.parts.server.state()).last + 1
  }
}
