import { expect, test } from 'vitest'
import { everyScheme, parseServerUrl } from './server-url.js'

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
  ['http://host/t', 'no way to speak MQTT over http'],
  ['mqtt://host:0/t', 'the port is'],
  ['mqtt://host:65536/t', 'the port is'],
  ['mqtt://host:port/t', 'it takes mqtt://'],
  ['mqtt://an%zz@host', '% begins an escape'],
])('%s is refused', (text, problem) => {
  expect(parseServerUrl(text)).toContain(problem)
})

test.each([
  ['tcp://host/t', { host: 'host', topic: 't' }],
  [
    'mqtts://ann:p%40w@host:8884/a/#',
    { transport: 'tls', host: 'host', port: 8884, username: 'ann', password: 'p@w', topic: 'a/#' },
  ],
  ['ssl://host', { transport: 'tls', host: 'host' }],
  ['tls://host', { transport: 'tls', host: 'host' }],
  ['ws://host:8083', { transport: 'ws', host: 'host', port: 8083 }],
  ['ws://host:8083/a/b?c', { transport: 'ws', host: 'host', port: 8083, path: '/a/b?c' }],
  ['WSS://[::1]/mqtt', { transport: 'wss', host: '::1', path: '/mqtt' }],
  ['unix:///run/mqtt.sock', { transport: 'unix', host: '', path: '/run/mqtt.sock' }],
])('where every way is known, %s', (text, parts) => {
  expect(parseServerUrl(text, everyScheme)).toEqual(parts)
})

test.each([
  ['http://host/t', 'over http: use mqtt://, mqtts://, ws://, wss:// or unix://.'],
  ['unix://host/run/mqtt.sock', 'it takes unix:///path.'],
  ['unix:///', 'it takes unix:///path.'],
  ['wss:///mqtt', 'it takes mqtt://'],
])('where every way is known, %s is refused', (text, problem) => {
  expect(parseServerUrl(text, everyScheme)).toContain(problem)
})

test('where only TCP is, others are refused', () => {
  expect(parseServerUrl('mqtts://host/t')).toBe('there is no way to speak MQTT over mqtts here: use mqtt://.')
})
