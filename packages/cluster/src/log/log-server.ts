/** A message of the log as a server has it. */
export interface StoredFrame {
  /** The place in the stream: rises with each message. */
  readonly sequence: number
  readonly bytes: Uint8Array
}

/**
 * What became of a frame: taken, at a sequence; `look`: another was expected there, or is being compared, so look what there is;
 * `silent`: nobody knows; `full`: the stream takes no more.
 */
export type PublishAnswer = number | 'look' | 'silent' | 'full'

/** What a stream holds. */
export interface LogState {
  /** Sequences; of an empty stream the first is one more than the last. */
  readonly first: number
  readonly last: number
  readonly bytes: number
  /** It takes no more than this; 0: no limit. */
  readonly maxBytes: number
}

/** A copy of everything as of a frame, kept where all nodes reach it. */
export interface SnapshotNote {
  readonly name: string
  /** Of the last frame that is in it. */
  readonly sequence: number
  readonly bytes: number
  /** ISO 8601. */
  readonly createdAt: string
}

/** What a node tells of itself, for people to look at. */
export interface NodeNote {
  readonly node: string
  readonly role: string
  readonly epoch: number
  /** The last frame that is in its copy. */
  readonly applied: number
  readonly version: string
  readonly frameVersion: number
  /** Where clients of other nodes are taken to; left out: nowhere. */
  readonly address?: string
  /** The URL at which people find its console; left out: it does not tell. */
  readonly console?: string
  readonly preferred: boolean
  /** It does not take over by itself. */
  readonly frozen?: boolean
  /** What hinders it, in words. */
  readonly problem?: string
  /** Epoch ms, by its own clock. */
  readonly at: number
}

/** The engine does not answer, or not in time. */
export class LogSilent extends Error {}

/** What can be asked of the engine under a cluster. All of it may be late, or never come. */
export interface LogServer {
  /**
   * Writes a frame if the last one has this sequence; 0: there is none. Whoever is not told what became of it writes the same again.
   * @param withinMs without an answer by then it answers `silent`.
   */
  publish(bytes: Uint8Array, after: number, withinMs: number): Promise<PublishAnswer>
  /**
   * The last frame there is, as the stream's leader knows it; `undefined`: there is none.
   * @throws LogSilent
   */
  last(): Promise<StoredFrame | undefined>
  /**
   * Reads in order, from this sequence on or from the first there is behind it, and goes on with what comes.
   * @param onEnd nothing more comes by this reading, or something was left out: begin another.
   * @throws LogSilent
   */
  follow(from: number, onFrame: (frame: StoredFrame) => void, onEnd: (why: string) => void): Promise<Following>
  /** @throws LogSilent */
  state(): Promise<LogState>
  /** Removes what is before this sequence; of an empty log, what comes next has this one at least. @throws LogSilent */
  trim(before: number): Promise<void>
  /** The newest first. @throws LogSilent */
  snapshots(): Promise<readonly SnapshotNote[]>
  /** Keeps a file, and reads it back. @throws LogSilent, or what is wrong with the file. */
  putSnapshot(file: string, sequence: number): Promise<SnapshotNote>
  /** Writes one into a file that is not there yet. @throws LogSilent, or what is wrong with it. */
  getSnapshot(note: SnapshotNote, file: string): Promise<void>
  /** @throws LogSilent */
  deleteSnapshot(note: SnapshotNote): Promise<void>
  /** Answers whether nobody else has told anything under that name since. @throws LogSilent */
  note(note: NodeNote): Promise<boolean>
  /** @throws LogSilent */
  notes(): Promise<readonly NodeNote[]>
  /** Makes what is kept there where it is gone: servers were set up anew. @throws LogSilent */
  ensure(): Promise<void>
  close(): Promise<void>
}

export interface Following {
  close(): void
}
