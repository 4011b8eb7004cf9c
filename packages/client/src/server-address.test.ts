import { describe, expect, test } from 'vitest'
import { referredServer } from './redirects.js'
import { givenServer, parseServerUrl } from './server-address.js'

test.each([
  ['mqtt://broker', { transport: 'tcp', host: 'broker', port: 1883, path: '' }],
  ['tcp://broker:1884/', { transport: 'tcp', host: 'broker', port: 1884 }],
  ['MQTTS://broker', { transport: 'tls', host: 'broker', port: 8883, path: '' }],
  ['ssl://[::1]', { transport: 'tls', host: '::1', port: 8883 }],
  ['tls://broker:8884', { transport: 'tls', port: 8884 }],
  ['ws://broker', { transport: 'ws', host: 'broker', port: 80, path: '/mqtt', url: 'ws://broker/mqtt' }],
  ['ws://ada:secret@broker:8083', { transport: 'ws', port: 8083, path: '/mqtt', url: 'ws://broker:8083/mqtt' }],
  ['ws://broker/', { transport: 'ws', path: '/', url: 'ws://broker/' }],
  ['wss://broker/a/b?c=d', { transport: 'wss', host: 'broker', port: 443, path: '/a/b?c=d' }],
  ['unix:///run/mqtt.sock', { transport: 'unix', host: '', port: 0, path: '/run/mqtt.sock' }],
  ['unix:/run/a%20%23b', { transport: 'unix', path: '/run/a #b', url: 'unix:///run/a%20%23b' }],
])('%s', (url, parts) => {
  expect(givenServer(url)).toMatchObject(parts)
})

test.each([
  ['mqtts://broker/topic', 'nothing may follow the port'],
  ['mqtts://', 'names no host'],
  ['ws://broker/mqtt#here', "a WebSocket's path ends before '#'"],
  ['ws://', 'is not a URL'],
  ['unix://run/mqtt.sock', 'use unix:///path'],
  ['unix:mqtt.sock', 'use unix:///path'],
  ['unix:///', 'use unix:///path'],
  ['unix:///run/a?b', "%3F for '?'"],
  ['unix:///run/100%', "'%' in a user name, a password or a path must be written '%25'"],
  ['http://broker', 'use mqtt://host[:port], mqtts://, ws://, wss:// or unix:///path'],
])('%s is refused', (url, problem) => {
  expect(() => givenServer(url)).toThrow(problem)
})

describe('where a server sends us', () => {
  test('is never a file of this machine', () => {
    expect(() => parseServerUrl('unix:///run/mqtt.sock')).toThrow('is not supported')
    expect(referredServer(givenServer('mqtt://broker'), 'unix:///run/docker.sock')).toBeUndefined()
  })

  test('is never less secret than where we were', () => {
    for (const [secret, plain] of [
      ['mqtts://broker', 'mqtt://other'],
      ['wss://broker', 'ws://other'],
    ] as const) {
      expect(referredServer(givenServer(secret), plain)).toBeUndefined()
      expect(referredServer(givenServer(plain), secret)).toBeDefined()
    }
  })

  test('is reached in the same way, when it is only a name', () => {
    const other = (from: string): unknown => referredServer(givenServer(from), 'other:99')
    expect(other('mqtts://broker')).toMatchObject({ transport: 'tls', host: 'other', port: 99 })
    expect(other('wss://broker')).toMatchObject({ transport: 'wss', url: 'wss://other:99/mqtt' })
  })
})
