import type { NodeNote, NodeStatus } from '@godwit/cluster'
import { CommandError } from '../command-error.js'

/** What `godwit cluster recover --from` would do to a node, for a person to confirm. */
interface RecoveryPlan {
  /** The log begins anew with this node's copy, or this node's copy begins anew with what another has put there. */
  readonly deed: 'publish' | 'set aside'
  readonly lines: readonly string[]
  /** What has to be said to have it done: it names the node and what is at stake, so that nobody says it by habit. */
  readonly words: string
}

interface RecoveryCase {
  readonly cluster: string
  /** The node whose copy all others are to have. */
  readonly from: string
  /** The node that is asked. */
  readonly status: NodeStatus
  /** What nodes have told; empty where NATS was set up anew. */
  readonly notes: readonly NodeNote[]
}

/** @throws CommandError when there is nothing to recover, or it is not this node's turn. */
export function recoveryPlan({ cluster, from, status, notes }: RecoveryCase): RecoveryPlan {
  const { node, role, applied } = status
  const words = `${node} ${applied}`
  if (role === 'owner' || role === 'claiming') {
    throw new CommandError(
      `${node} is ${role === 'owner' ? 'the owner' : 'about to take over'}: there is nothing to recover from`,
    )
  }
  if (from === node) {
    const more = notes.filter((note) => note.node !== node && isFurther(note, status)).map(({ node: other }) => other)
    return {
      deed: 'publish',
      words,
      lines: [
        `the log of ${cluster} would begin anew with the copy of ${node}: ${placeOf(status)}`,
        `given up: what stands in the log${status.last === undefined ? '' : `, which ends at frame ${status.last},`} and is not in that copy`,
        ...more.map(
          (other) => `${other} has told of a copy that goes further: look at it with "godwit cluster status" there`,
        ),
      ],
    }
  }
  if (role !== 'diverged')
    throw new CommandError(`${node} is ${role}: its copy has not parted from the log, so there is nothing to recover`)
  const source = notes.find((note) => note.node === from)
  if (!source) throw new CommandError(`no node ${JSON.stringify(from)} has told of itself; see godwit cluster status`)
  if (source.role !== 'owner' && source.role !== 'following') {
    throw new CommandError(`${from} is ${source.role}: say "godwit cluster recover --from ${from}" there first`)
  }
  return {
    deed: 'set aside',
    words,
    lines: [
      `the copy of ${node} would be set aside, and begin anew with what ${from} follows: ${placeOf(status)}`,
      `given up: what is in that copy and not in the log, which ${from} has read up to frame ${source.applied}`,
    ],
  }
}

function isFurther({ epoch, applied }: NodeNote, status: NodeStatus): boolean {
  return epoch > status.epoch || (epoch === status.epoch && applied > status.applied)
}

function placeOf({ applied, epoch, appliedAt }: NodeStatus): string {
  const when = appliedAt === undefined ? '' : `, written ${new Date(appliedAt).toISOString()}`
  return `frame ${applied} of epoch ${epoch}${when}`
}
