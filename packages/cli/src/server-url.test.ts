import { expect, test } from 'vitest'
import { parseServerUrl } from './server-url.js'

test.each([
  ['mqtt://localhost', { host: 'localhost' }],
  ['mqtt://localhost/', { host: 'localhost' }],
  ['MQTT://localhost:1884/a/b', { host: 'localhost', port: 1884, topic: 'a/b' }],
  ['mqtt://[::1]:1884/a', { host: '::1', port: 1884, topic: 'a' }],
  ['mqtt://host/home/+/temp/#', { host: 'host', topic: 'home/+/temp/#' }],
  ['mqtt://host//a/', { host: 'host', topic: '/a/' }],
  ['mqtt://host/50%/a?b', { host: 'host', topic: '50%/a?b' }],
  ['mqtt://ann@host', { host: 'host', username: 'ann' }],
  ['mqtt://ann:p%40ss%3Aw@host/t', { host: 'host', username: 'ann', password: 'p@ss:w', topic: 't' }],
  ['mqtt://ann:a:b@host', { host: 'host', username: 'ann', password: 'a:b' }],
  ['mqtt://ann:@host', { host: 'host', username: 'ann', password: '' }],
])('%s', (text, parts) => {
  expect(parseServerUrl(text)).toEqual(parts)
})

test.each([
  ['localhost', 'it takes mqtt://'],
  ['mqtt://', 'it takes mqtt://'],
  ['mqtt:///topic', 'it takes mqtt://'],
  ['mqtts://host/t', 'TLS comes with a later version'],
  ['http://host/t', 'no way to speak MQTT over http'],
  ['mqtt://host:0/t', 'the port is'],
  ['mqtt://host:65536/t', 'the port is'],
  ['mqtt://host:port/t', 'it takes mqtt://'],
  ['mqtt://an%zz@host', '% begins an escape'],
])('%s is refused', (text, problem) => {
  expect(parseServerUrl(text)).toContain(problem)
})
