import { expect, test } from 'vitest'
import type { Config } from './config/schema.js'
import { listenOn, withSystemdSockets } from './systemd-sockets.js'

const config = { listeners: [{ protocol: 'mqtt', host: '127.0.0.1', port: 1883 }] } as unknown as Config

test('a socket of systemd takes the place of the first listener, wherever it is bound', () => {
  const [first] = withSystemdSockets(config, [{ fd: 3, name: 'mqtt' }]).listeners
  expect(first).toEqual({ protocol: 'mqtt', host: 'a socket of systemd', port: 1883 })
  expect(withSystemdSockets(config, [])).toEqual(config)
})

test('more sockets than listeners are refused', () => {
  const sockets = [3, 4].map((fd) => ({ fd, name: 'mqtt' }))
  expect(() => withSystemdSockets(config, sockets)).toThrow(
    'systemd gives 2 sockets and the configuration has 1 listeners',
  )
})

test('the socket replaces the address and nothing else', () => {
  const socket = { fd: 3, name: 'mqtt' }
  expect(listenOn(socket, { host: '127.0.0.1', port: 1883, name: 'door' })).toEqual({ fd: 3, name: 'door' })
  expect(listenOn(socket, { path: '/run/godwit.sock', mode: 0o660 })).toEqual({ fd: 3 })
  expect(listenOn(undefined, { port: 0 })).toEqual({ port: 0 })
})
