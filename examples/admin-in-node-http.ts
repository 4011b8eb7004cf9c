// The HTTP API of an embedded broker on an HTTP server of yours, below /api/v1, for who shows a token.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { adminApi, fixedTokens, newToken } from '@godwit/admin'
import { createBroker } from '@godwit/broker'
import { getRequestListener } from '@hono/node-server'

await using broker = await createBroker()
await broker.publish('home/kitchen', '21.5', { retain: true })

const token = newToken() // or of a file that `godwit token` writes: new TokenFile(path)
const tokens = fixedTokens([{ token, name: 'me', role: 'operator' }])
const api = adminApi(broker, { tokens })

const listener = getRequestListener((request) => api.fetch(request))
const server = createServer(async (request, response) => {
  if (request.url?.startsWith('/api/v1')) await listener(request, response)
  else response.end('what else this server has')
}).listen(0, '127.0.0.1')
await once(server, 'listening')

const { port } = server.address() as AddressInfo
const get = async (path: string, headers = {}) => {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, { headers })
  return (await response.json()) as { items?: unknown; code?: string }
}

const authorization = `Bearer ${token}`
const { items } = await get('/retained?columns=topic', { authorization })
console.log(items) // [ { topic: 'home/kitchen' } ]
console.log((await get('/retained')).code) // unauthenticated
api.close()
server.close()
