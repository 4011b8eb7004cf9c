import { checksumOf, type Frame } from '../frame/frame.js'

/** How far a copy has come: the last frame that is in it, with what tells it from any other. */
export interface Position {
  readonly sequence: number
  readonly epoch: number
  readonly instance: string
  readonly commit: number
  readonly checksum: number
  /** What its writer's wall clock showed. */
  readonly wall: number
  /** A commit of this epoch has come, and with it what time it is: before that nobody has served in it. */
  readonly hasServed?: boolean
  /** When somebody served last, as the wall clock showed it. Left out, by an earlier version: `wall`. */
  readonly servedAt?: number
  /** It said that its writer has let go: whoever comes next need not wait. */
  readonly released: boolean
  /** Whom that writer has seen to have all there is: others let it come first. Left out: nobody. */
  readonly heir?: string
  /** What the claim of this epoch said of who made it. */
  readonly owner: OwnerNote
}

/** Who owns the log, as its claim says. */
export interface OwnerNote {
  readonly node: string
  /** Where clients of other nodes are taken to; left out: nowhere. */
  readonly address?: string
  /** The log begins anew with what a snapshot of this frame holds: nobody goes on with what was before. */
  readonly imported?: true
}

/** @param before where a copy was before that frame: who owns the log stands in the claim alone. */
export function positionOf(sequence: number, frame: Frame, bytes: Uint8Array, before: Position | undefined): Position {
  const { epoch, instance, commit, wall, kind } = frame
  const owner = kind === 'claim' ? readOwner(frame.body) : (before?.owner ?? { node: '' })
  const released = kind === 'released'
  const heir = released ? readHeir(frame.body) : undefined
  const hasServed = kind === 'commit' || (kind !== 'claim' && before?.hasServed === true)
  // Who lets go has served before: its last frame may have had to wait.
  const servedAt = hasServed && !released ? wall : (before?.servedAt ?? before?.wall)
  return {
    ...{ sequence, epoch, instance, commit, checksum: checksumOf(bytes), wall, released, owner },
    hasServed,
    ...(servedAt !== undefined && { servedAt }),
    ...(heir !== undefined && { heir }),
  }
}

/** Who lets go says who is to come next, if it knows. */
export function writeHeir(heir: string | undefined): Uint8Array {
  return Buffer.from(heir === undefined ? '' : JSON.stringify({ heir }))
}

function readHeir(body: Uint8Array): string | undefined {
  try {
    const { heir } = JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>
    return typeof heir === 'string' ? heir : undefined
  } catch {
    return undefined // an earlier version says nothing
  }
}

export function writeOwner(owner: OwnerNote): Uint8Array {
  return Buffer.from(JSON.stringify(owner))
}

function readOwner(body: Uint8Array): OwnerNote {
  try {
    const { node, address, imported } = JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>
    return {
      node: String(node),
      ...(typeof address === 'string' && { address }),
      ...(imported === true && { imported }),
    }
  } catch {
    return { node: '' } // a later version may say it otherwise
  }
}

export function encodePosition(position: Position): Uint8Array {
  return Buffer.from(JSON.stringify(position))
}

/** @throws Error when it is none. */
export function decodePosition(bytes: Uint8Array): Position {
  const position = JSON.parse(Buffer.from(bytes).toString()) as Position
  if (!Number.isSafeInteger(position.sequence) || !Number.isSafeInteger(position.epoch)) {
    throw new Error('what says how far this copy has come cannot be read')
  }
  return position
}

export function isSamePlace(one: Position, other: Position): boolean {
  return (
    one.sequence === other.sequence &&
    one.instance === other.instance &&
    one.commit === other.commit &&
    one.checksum === other.checksum
  )
}
