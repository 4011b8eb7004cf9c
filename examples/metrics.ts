// The counters of an embedded broker for Prometheus, and whether it is ready, on an HTTP server of yours.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBroker, prometheusText } from '@godwit/broker'

await using broker = await createBroker()
await broker.publish('home/kitchen', '21.5', { retain: true })

const server = createServer(async ({ url }, response) => {
  if (url === '/metrics') {
    response
      .setHeader('content-type', 'text/plain; version=0.0.4')
      .end(await prometheusText(broker))
  } else {
    const { ready, reasons } = await broker.readiness()
    response.writeHead(ready ? 200 : 503).end(reasons.join('\n'))
  }
}).listen(0, '127.0.0.1')
await once(server, 'listening')

const { port } = server.address() as AddressInfo
const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
console.log(/^godwit_retained_messages .*$/m.exec(text)?.[0]) // godwit_retained_messages 1
console.log((await fetch(`http://127.0.0.1:${port}/ready`)).status) // 200
server.close()
