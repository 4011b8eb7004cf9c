import { z } from '@hono/zod-openapi'
import { operation, operationOfAnyNode } from '../operation.js'
import { shareWithin } from '../series/share-within.js'
import { count, orNull, time } from '../values.js'

const clusterNode = z
  .strictObject({
    node: z.string(),
    role: z.string(),
    epoch: count,
    applied: count.openapi({ description: 'The last frame that is in its copy.' }),
    behindFrames: count,
    behindBytes: count.openapi({ description: 'About: by the mean of the frames in the log.' }),
    version: z.string(),
    address: z.string().nullable().openapi({ description: 'Where clients of other nodes are taken to.' }),
    console: z.string().nullable().openapi({ description: 'The URL of its console; null: it has not told.' }),
    preferred: z.boolean().openapi({ description: 'It claims before others do.' }),
    problem: z.string().nullable(),
    toldAt: time.openapi({ description: 'When it told of itself, by its own clock.' }),
  })
  .openapi('ClusterNode')

const cluster = z
  .strictObject({
    cluster: z.string(),
    node: z.string().openapi({ description: 'The one that answers.' }),
    role: z
      .string()
      .openapi({ description: '`owner` serves; the others follow the log, claim it, or have `diverged`.' }),
    epoch: count.openapi({ description: 'Counts owners.' }),
    owner: z.string().nullable(),
    frozen: z.boolean().openapi({ description: 'It takes over no more by itself.' }),
    held: orNull(z.enum(['silent', 'full'])).openapi({
      description:
        'Why nothing is acknowledged now: the servers of the log do not answer, or the log is full. null: all is well.',
    }),
    silentSeconds: count,
    problem: z.string().nullable(),
    counters: z.strictObject({
      claims: count,
      fenced: count.openapi({ description: 'Times that another has taken over from it.' }),
      diverged: count,
      framesWritten: count,
      bytesWritten: count,
      framesRead: count,
      bytesRead: count,
    }),
    log: z.strictObject({ last: count, bytes: count, most: count.nullable() }),
    acknowledged: z.strictObject({ half: z.number().nullable(), most: z.number().nullable() }).openapi({
      description:
        'Seconds in which half of all acknowledgements came since this node serves, and 99 of 100; null: none did.',
    }),
    nodes: z.array(clusterNode),
    snapshots: z.array(z.strictObject({ frame: count, bytes: count, createdAt: time.nullable() })),
  })
  .openapi('Cluster')

export const getCluster = operationOfAnyNode({
  id: 'getCluster',
  method: 'get',
  path: '/cluster',
  tag: 'Cluster',
  summary: 'The cluster that this broker is a node of: who is the owner, how far each node is behind',
  needs: 'cluster',
  answer: { description: 'As this node knew it last; nodes tell of themselves every five seconds.', schema: cluster },
  async run(_, { parts, broker }) {
    const { nodes, snapshots, ...view } = parts.cluster.view()
    const latency = (await broker?.metrics())?.commits.latency
    const share = (part: number): number | null => (latency ? shareWithin(latency, part) : null)
    const acknowledged = { half: share(0.5), most: share(0.99) }
    return { body: { ...view, acknowledged, nodes: [...nodes], snapshots: [...snapshots] } }
  },
})

export const handOverCluster = operation({
  id: 'handOverCluster',
  method: 'post',
  path: '/cluster/handover',
  tag: 'Cluster',
  summary: 'Has another node take over, in order: before this machine is restarted',
  description: 'Clients of this node are told, and come again. So does whoever uses this API.',
  needs: 'cluster',
  answer: { status: 202, description: 'It lets go, after this answer.', schema: z.strictObject({}) },
  problems: [409],
  act: { message: 'hand-over asked for', told: () => ({}) },
  async run(_, { parts }) {
    await parts.cluster.handOver()
    return { body: {} }
  },
})
