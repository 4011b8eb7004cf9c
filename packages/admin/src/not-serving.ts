import type { Cluster } from './parts.js'
import { Problem } from './problem.js'

/** What a node of a cluster answers to what only the one that serves can do: which one that is, and where. */
export function notServing(cluster: Cluster | undefined): Problem {
  if (!cluster) return new Problem('not-serving', 'no broker serves here')
  const { node, owner, nodes } = cluster.view()
  if (owner === null || owner === node) {
    return new Problem(
      'not-serving',
      `node ${node} serves nobody now, nor does any other that it knows of; ask again soon`,
      {
        headers: { 'retry-after': '1' },
      },
    )
  }
  const url = nodes.find((one) => one.node === owner)?.console ?? null
  const where = url === null ? 'ask that node' : `ask it at ${url}`
  return new Problem('not-serving', `node ${node} follows, and node ${owner} serves: ${where}`)
}
