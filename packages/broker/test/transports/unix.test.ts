import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { systemdSockets } from '../../src/index.js'
import { greet, type StartedBroker, startBroker } from './started-broker.js'

let started: StartedBroker
let folder: string
let path: string
beforeEach(async () => {
  started = await startBroker()
  folder = await mkdtemp(join(tmpdir(), 'godwit-unix-'))
  path = join(folder, 'mqtt.sock')
})
afterEach(async () => {
  vi.restoreAllMocks()
  await started.broker.close()
  await rm(folder, { recursive: true })
})

async function serves(): Promise<void> {
  const socket = connect({ path })
  await once(socket, 'connect')
  const client = await greet(socket)
  client.drop()
}

it('serves a Unix socket with the permissions asked for, and removes it at close', async () => {
  const listener = await started.broker.listen({ path, mode: 0o600 })
  expect(listener.path).toBe(path)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  await serves()
  await listener.close()
  expect(existsSync(path)).toBe(false)
})

it.each([
  [0o600, 0o600],
  [0o660, undefined],
  [0o666, 0o666],
])('has permissions %o from its first moment, whatever the umask of the process', async (permissions, mode) => {
  let first = 0
  const listen = Server.prototype.listen
  vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args: unknown[]) {
    const server = Reflect.apply(listen, this, args) as Server
    first = statSync(path).mode & 0o777
    return server
  })
  for (const umask of [0o000, 0o077]) {
    const before = process.umask(umask)
    const listener = await started.broker.listen({ path, ...(mode !== undefined && { mode }) })
    expect(process.umask(before)).toBe(umask)
    expect([first, statSync(path).mode & 0o777]).toEqual([permissions, permissions])
    await listener.close()
  }
})

it('replaces the socket of a dead process', async () => {
  const dying = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['-e', dying])
  expect(existsSync(path)).toBe(true)
  await started.broker.listen({ path })
  await serves()
})

it('leaves the socket of a living process, and a file that is none', async () => {
  await started.broker.listen({ path })
  await expect(started.broker.listen({ path })).rejects.toThrow('in use by another program')
  await serves()
  const file = join(folder, 'file')
  await writeFile(file, 'precious')
  await expect(started.broker.listen({ path: file })).rejects.toThrow('a file that is no socket is there')
  expect(existsSync(file)).toBe(true)
})

it('knows the sockets that systemd has opened for it, and only those for it', () => {
  const env = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'mqtt:' }
  expect(systemdSockets(env, 41)).toEqual([])
  expect(systemdSockets(env, 42)).toEqual([
    { fd: 3, name: 'mqtt' },
    { fd: 4, name: 'unknown' },
  ])
  expect(env).toEqual({})
  expect(systemdSockets(env, 42)).toEqual([])
})
