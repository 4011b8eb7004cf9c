import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { EngineUnfit } from './connection.js'
import { syncOf } from './sync.js'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** The monitoring of a nats-server. */
async function monitoring(config: object): Promise<string> {
  const server = createServer((_, response) => void response.end(JSON.stringify({ config }))).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const nobody = 'http://127.0.0.1:1'
const always = () => monitoring({ sync_always: true })

it('servers that sync are as they should be; one that does not is not', async () => {
  expect(await syncOf([await always(), await always()])).toEqual({ synced: true })
  expect(await syncOf([await always(), await monitoring({})])).toMatchObject({
    synced: false,
    warning: expect.stringContaining('sync_interval: always'),
  })
})

it('one that is away keeps no node from starting, and is told of', async () => {
  expect(await syncOf([nobody, await always()])).toEqual({
    synced: 'unknown',
    warning:
      'http://127.0.0.1:1 (cluster.monitoring) does not answer: it is not known whether NATS has frames on disk there before it acknowledges them',
  })
  expect(await syncOf([nobody, await monitoring({})])).toMatchObject({ synced: false })
})

it('where none answers, the addresses are wrong', async () => {
  await expect(syncOf([nobody])).rejects.toThrow(EngineUnfit)
  await expect(syncOf([nobody])).rejects.toThrow('none of http://127.0.0.1:1')
})

it('without addresses nothing is known', async () => {
  expect(await syncOf([])).toMatchObject({ synced: 'unknown', warning: expect.stringContaining('cluster.monitoring') })
})
