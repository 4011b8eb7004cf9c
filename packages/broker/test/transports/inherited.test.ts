import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { greet, openTcp, startBroker } from './started-broker.js'

const program = fileURLToPath(new URL('./activated-broker.mjs', import.meta.url))
const built = fileURLToPath(new URL('../../dist/index.js', import.meta.url))

async function listening(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

/** Node does not tell it in public. */
const descriptorOf = (server: Server): number => (server as unknown as { _handle: { fd: number } })._handle.fd

it('serves sockets that another process has opened and bound', async () => {
  if (!existsSync(built)) throw new Error(`${built} is not there: build before testing (npm run build)`)
  const [one, other] = [await listening(), await listening()]
  const inherited = [descriptorOf(one.server), descriptorOf(other.server)]
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'inherit', 'inherit', ...inherited, 'ipc'],
    env: { ...process.env, LISTEN_FDS: '2', LISTEN_FDNAMES: 'mqtt:spare' },
  })
  one.server.close() // here; the child has it too
  other.server.close()
  const [listeners] = await once(child, 'message')
  expect(listeners).toEqual([
    { name: 'mqtt', port: one.port },
    { name: 'spare', port: other.port },
  ])
  for (const { port } of [one, other]) (await greet(await openTcp(port))).drop()
  child.disconnect()
  await once(child, 'exit')
})

it('what is no socket is told', async () => {
  const { broker } = await startBroker()
  await expect(broker.listen({ fd: 999_999 })).rejects.toThrow('cannot listen on file descriptor 999999')
  await broker.close()
})
