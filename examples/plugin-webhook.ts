// The webhook plugin beside the server that it posts to; `godwit broker` loads it from a configuration.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { createBroker } from '@godwit/broker'
import { preparePlugin } from '@godwit/broker/plugin'
import webhook from '@godwit/plugin-webhook'

let answer = 503
const server = createServer(async (request, response) => {
  const { messages } = (await json(request)) as {
    messages: { topic: string; payload: string }[]
  }
  if (answer === 200)
    for (const { topic, payload } of messages) console.log(topic, payload) // home/door open
  response.writeHead(answer).end()
  server.emit('answered')
})
await once(server.listen(0, '127.0.0.1'), 'listening')
const { port } = server.address() as AddressInfo

const options = {
  url: `http://127.0.0.1:${port}/`,
  filters: ['home/#'],
  firstRetryMs: 50,
}
const plugin = await preparePlugin(webhook, options)
await using broker = await createBroker({ hooks: plugin.hooks })
await plugin.start(broker)

await broker.publish('home/door', 'open', { qos: 1 })
await once(server, 'answered')
answer = 200 // it was away, and is back
await once(server, 'answered')
await plugin.stop()
console.log(plugin.counts()) // { written: 1, batches: 1, failed: 1, refused: 0 }
server.close()
