import { expect, test } from 'vitest'
import { monitoringAddress } from './monitoring-address.js'

test.each([
  ['9464', { host: '127.0.0.1', port: 9464 }],
  ['0', { host: '127.0.0.1', port: 0 }],
  ['0.0.0.0:9464', { host: '0.0.0.0', port: 9464 }],
  ['localhost:9464', { host: 'localhost', port: 9464 }],
  ['[::1]:9464', { host: '::1', port: 9464 }],
  ['::1:9464', undefined],
  ['65536', undefined],
  ['host:', undefined],
  ['', undefined],
  ['http://localhost:9464', undefined],
])('--metrics %j', (text, address) => {
  expect(monitoringAddress(text)).toEqual(address)
})
