import type { ClusterNodeView, ClusterView } from '@godwit/admin/parts'
import { type Edge, Exposition, edgePrometheusText, prometheusText } from '@godwit/broker'
import type { ClusterNode } from '@godwit/cluster'
import type { ServingBroker } from '../http/broker-http.js'
import { bridgesText } from '../monitoring/bridges-text.js'
import type { EventLoopDelay } from '../monitoring/event-loop-delay.js'
import type { Monitored, Shown } from '../monitoring/monitoring-pages.js'
import { pluginText } from '../monitoring/plugin-text.js'
import { processText } from '../monitoring/process-text.js'
import { type ClusterLook, isPresent } from './cluster-look.js'

interface ClusterPagesParts {
  readonly node: Pick<ClusterNode, 'status'>
  readonly holdMs: number
  /** Left out: this node does not serve. */
  readonly broker: () => Monitored | undefined
  /** What is shown beside it. */
  readonly serving: () => Pick<ServingBroker, 'bridges' | 'plugins'> | undefined
  /** Left out: listeners are open only while this node serves. */
  readonly edge: Edge | undefined
  readonly look: ClusterLook
  readonly delay: EventLoopDelay
}

/** The same of a node of a cluster, which may serve or not. */
export function shownOfNode(parts: ClusterPagesParts): Shown {
  return {
    async text() {
      const { edge, look, delay } = parts
      const broker = parts.broker()
      const { bridges, plugins } = parts.serving() ?? {}
      return [
        broker ? await prometheusText(broker) : edge ? await edgePrometheusText(edge) : '',
        bridges ? bridgesText(bridges) : '',
        plugins ? pluginText(plugins) : '',
        clusterText(look.view),
        processText(delay),
      ].join('')
    },
    async readiness() {
      const reasons = await reasonsOf(parts)
      return { ready: reasons.length === 0, reasons }
    },
  }
}

async function reasonsOf({ node, holdMs, broker, edge }: ClusterPagesParts): Promise<readonly string[]> {
  const { node: name, role, owner, silentMs, applied, last, problem } = node.status
  const serving = broker()
  if (serving) {
    const silent = silentMs > holdMs ? [`NATS has not answered for ${Math.round(silentMs / 1_000)} s`] : []
    return [...silent, ...(await serving.readiness()).reasons]
  }
  // Its clients are passed on, so they may be sent here.
  if (edge && role === 'following' && owner?.address !== undefined && problem === undefined) return []
  const behind = last !== undefined && last > applied ? `, ${last - applied} frames behind` : ''
  const who = owner && owner.node !== name ? `; ${owner.node} is the owner` : ''
  return [`this node is ${role}${behind}${who}`, ...(problem === undefined ? [] : [problem])]
}

const roles = ['starting', 'following', 'claiming', 'owner', 'diverged'] as const

function clusterText(view: ClusterView): string {
  const { role, epoch, held, silentSeconds, frozen, counters, log, nodes } = view
  const own = nodes.find(({ node }) => node === view.node)!
  const present = nodes.filter((node) => node === own || isPresent(node))
  const each = (value: (node: ClusterNodeView) => number) =>
    present.map((one) => [{ node: one.node }, value(one)] as const)
  return new Exposition()
    .gauge(
      'godwit_cluster_role',
      'What this node does: 1 for its role, 0 for the others.',
      roles.map((one) => [{ role: one }, one === role ? 1 : 0]),
    )
    .gauge('godwit_cluster_owner', 'Whether this node is the owner: 1 or 0.', role === 'owner' ? 1 : 0)
    .gauge('godwit_cluster_diverged', 'Whether its copy has parted from the log: 1 or 0.', role === 'diverged' ? 1 : 0)
    .gauge('godwit_cluster_frozen', 'Whether it takes over no more by itself: 1 or 0.', frozen ? 1 : 0)
    .gauge('godwit_cluster_epoch', 'The epoch that it knows: counts owners.', epoch)
    .gauge('godwit_cluster_applied_frame', 'The last frame of the log that is in its copy.', own.applied)
    .gauge('godwit_cluster_last_frame', 'The last frame of the log, as far as it knows.', log.last)
    .gauge('godwit_cluster_log_bytes', 'Bytes that the log takes on each of its servers.', log.bytes)
    .gauge('godwit_cluster_log_limit_bytes', 'Bytes that it may take; 0: no bound, or not known.', log.most ?? 0)
    .gauge(
      'godwit_cluster_held',
      'Whether this owner acknowledges nothing, since NATS does not answer or the log is full: 1 or 0.',
      held === null ? 0 : 1,
    )
    .gauge('godwit_cluster_silent_seconds', 'How long NATS has not answered this owner; 0: all is well.', silentSeconds)
    .gauge(
      'godwit_cluster_lag_frames',
      'How far each node is behind, as it told last.',
      each((one) => one.behindFrames),
    )
    .gauge(
      'godwit_cluster_lag_bytes',
      'The same in bytes, by the mean of the frames.',
      each((one) => one.behindBytes),
    )
    .counter('godwit_cluster_claims_total', 'Times that it has become the owner.', counters.claims)
    .counter('godwit_cluster_fenced_total', 'Times that another has taken over from it.', counters.fenced)
    .counter('godwit_cluster_diverged_total', 'Times that its copy has parted from the log.', counters.diverged)
    .counter('godwit_cluster_frames_written_total', 'Frames that it has written.', counters.framesWritten)
    .counter('godwit_cluster_written_bytes_total', 'Their bytes.', counters.bytesWritten)
    .counter('godwit_cluster_frames_read_total', 'Frames that it has read.', counters.framesRead)
    .counter('godwit_cluster_read_bytes_total', 'Their bytes.', counters.bytesRead)
    .toString()
}
