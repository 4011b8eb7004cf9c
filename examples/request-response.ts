// A question that gets its answer: MQTT 5.0 carries where the response goes and which request it is for.
import { connect } from '@godwit/client'

await using server = await connect('mqtt://localhost')
await using _answers = await server.respond(
  'square/+n',
  ({ params }) => `${Number(params.n) ** 2}`,
)

await using client = await connect('mqtt://localhost')
const answer = await client.request('square/12', '', { timeoutMs: 5000 })
console.log(answer.text()) // 144
