// The HTTP API of an embedded broker in an application of Hono; any other that speaks web-standard requests is the same.
import { adminApi, fixedTokens, newToken, RecentLog } from '@godwit/admin'
import { createBroker } from '@godwit/broker'
import { Hono } from 'hono'

const log = new RecentLog() // what the page of the log shows
await using broker = await createBroker({ log })

const token = newToken()
const tokens = fixedTokens([{ token, name: 'deploy', role: 'admin' }])
const api = adminApi(broker, { tokens, log, logger: log })

const app = new Hono()
app.get('/', (context) => context.text('what else this application has'))
app.all('/api/v1/*', ({ req }) => api.fetch(req.raw))

const ask = (path: string, init: RequestInit = {}) => {
  const headers = { authorization: `Bearer ${token}`, ...init.headers }
  return app.request(`http://localhost/api/v1${path}`, { ...init, headers })
}
const body = JSON.stringify({ topic: 'home/door', payload: 'open', retain: true })
const headers = { 'content-type': 'application/json' }
console.log((await ask('/publish', { method: 'POST', body, headers })).status) // 204
console.log((await ask('/users')).status) // 501
const { lines } = (await (await ask('/log?count=1')).json()) as {
  lines: { message: string }[]
}
console.log(lines[0]?.message) // published
api.close()
