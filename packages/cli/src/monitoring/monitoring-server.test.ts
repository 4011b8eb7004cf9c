import { once } from 'node:events'
import { connect } from 'node:net'
import { type Broker, createBroker, type Logger, type Readiness } from '@godwit/broker'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { EventLoopDelay } from './event-loop-delay.js'
import { MonitoringPages, shownOf } from './monitoring-pages.js'
import { MonitoringServer } from './monitoring-server.js'

const silent: Logger = { log() {} }
let broker: Broker
let readiness: Readiness
let monitoring: MonitoringServer
let pages: MonitoringPages
const delay = new EventLoopDelay()
afterAll(() => delay.stop())
beforeEach(async () => {
  broker = await createBroker()
  readiness = { ready: true, reasons: [] }
  const { clients, sessions, subscriptions, retained } = broker
  const [metrics, accounts] = [() => broker.metrics(), () => broker.accounts()]
  const monitored = { metrics, accounts, clients, sessions, subscriptions, retained, readiness: async () => readiness }
  pages = new MonitoringPages(shownOf(monitored, delay), silent)
  monitoring = await MonitoringServer.open(pages, { host: '127.0.0.1', port: 0 }, silent)
})
afterEach(async () => {
  await monitoring.close()
  await broker.close()
})

async function get(path: string, method = 'GET') {
  const response = await fetch(monitoring.url + path, { method })
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() }
}

test('/metrics: the broker and its process, as Prometheus reads them', async () => {
  const { status, type, body } = await get('/metrics')
  expect([status, type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  for (const line of [/^godwit_clients_connected 0$/m, /^process_cpu_seconds_total [\d.]+$/m])
    expect(body).toMatch(line)
  await expect.poll(async () => (await get('/metrics')).body).toMatch(/^godwit_event_loop_delay_seconds_count [1-9]/m)
})

test('/healthz: the process answers', async () => {
  expect(await get('/healthz')).toMatchObject({ status: 200, body: 'ok\n' })
})

test('/readyz: whether clients should be sent here, and why not', async () => {
  expect(await get('/readyz')).toMatchObject({ status: 200, body: 'ready\n' })
  readiness = { ready: false, reasons: ['the store takes no commits: no space', 'the broker is overloaded'] }
  const body = 'not ready: the store takes no commits: no space; the broker is overloaded\n'
  expect(await get('/readyz?verbose')).toMatchObject({ status: 503, body })
})

describe('whatever is asked', () => {
  test('another page is not there, and nothing can be sent', async () => {
    expect(await get('/')).toMatchObject({ status: 404, body: 'there is /metrics, /healthz and /readyz\n' })
    expect(await get('/metrics', 'POST')).toMatchObject({ status: 405 })
    expect(await get('/metrics', 'HEAD')).toMatchObject({ status: 200, body: '' })
  })

  test.each(['//', '/%', 'http://', '*', '/metrics#x'])('GET %s is answered', async (path) => {
    const { port } = new URL(monitoring.url)
    const socket = connect(Number(port), '127.0.0.1')
    socket.end(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 404 /)
    socket.destroy()
  })
})

test('a port that is taken: one line', async () => {
  const address = { host: '127.0.0.1', port: Number(new URL(monitoring.url).port) }
  await expect(MonitoringServer.open(pages, address, silent)).rejects.toThrow(
    /^cannot listen for metrics on 127\.0\.0\.1:\d+: .*; choose another with --metrics \[HOST:\]PORT$/,
  )
})
