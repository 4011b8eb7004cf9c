// One node of bench/edge.mjs: the one that serves, or an edge that passes clients on to it. Told by its arguments, as JSON.
import { createBroker, createEdge } from '@godwit/broker'

const { role, tls, node } = JSON.parse(process.argv[2] ?? '{}')
const limits = { maxInflight: 65_535 }
if (role === 'owner') {
  const broker = await createBroker({ limits })
  const direct = await broker.listen({ port: 0 })
  const nodes = await broker.listen({
    port: 0,
    maxHandshakes: 10_000,
    node: { names: tls ? ['b.plant'] : [] },
    ...(tls && { tls }),
  })
  console.log(JSON.stringify({ port: direct.port, node: nodes.port }))
} else {
  const edge = await createEdge({ limits, ...(tls && { tls: { ...tls, names: ['a.plant'] } }) })
  edge.setOwner({ host: '127.0.0.1', port: node, claim: '1' })
  const { port } = await edge.listen({ port: 0 })
  console.log(JSON.stringify({ port }))
}
