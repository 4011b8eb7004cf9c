import type { ClusterView } from '@godwit/admin/parts'
import { isPresent } from './cluster-look.js'

/** What is told of a cluster under `$SYS/broker/`, as the owner sees it. A node that has gone is told of no more. */
export function clusterTopics(view: ClusterView): Readonly<Record<string, string | number>> {
  const { cluster, owner, epoch, held, counters, log, nodes } = view
  return {
    'cluster/name': cluster,
    'cluster/owner': owner ?? '',
    'cluster/epoch': epoch,
    'cluster/held': held ?? 'no',
    'cluster/fenced': counters.fenced,
    'cluster/log/bytes': log.bytes,
    ...Object.fromEntries(
      nodes
        .filter((node) => node.node === view.node || isPresent(node))
        .flatMap(({ node, role, behindFrames, behindBytes }) => [
          [`cluster/nodes/${node}/role`, role],
          [`cluster/nodes/${node}/behind/frames`, behindFrames],
          [`cluster/nodes/${node}/behind/bytes`, behindBytes],
        ]),
    ),
  }
}
