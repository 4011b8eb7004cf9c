import { expect, it } from 'vitest'
import { isLoopback, isOfThisMachine, networkOf, plainAddress } from './network.js'

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::ffff:c000:207', '192.0.2.7'],
  ['0:0:0:0:0:FFFF:192.0.2.7', '192.0.2.7'],
  ['::ffff:0.0.0.7', '0.0.0.7'],
  ['64:ff9b::192.0.2.7', '192.0.2.7'],
  ['64:ff9b::c000:207', '192.0.2.7'],
  ['64:ff9b:1::c000:207', '64:ff9b:1:0'],
  ['::192.0.2.7', '0:0:0:0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

it.each([
  ['', ''],
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:C000:0207', '192.0.2.7'],
  ['0000:0000:0000:0000:0000:ffff:c000:0207', '192.0.2.7'],
  ['::ffff:192.0.2.7%eth0', '192.0.2.7'],
  ['2001:DB8:0:0:0:0:0:7', '2001:db8::7'],
  ['FE80::1%eth0', 'fe80::1%eth0'],
  ['::', '::'],
  ['no:address', 'no:address'],
])('%j is shown as %j', (address, shown) => {
  expect(plainAddress(address)).toBe(shown)
})

it('127.example.org is no loopback address, localhost is', () => {
  expect(['127.example.org', '127.0.0.1', 'localhost', '0:0:0:0:0:0:0:1', '0.0.0.0', ''].map(isLoopback)).toEqual([
    false,
    true,
    true,
    true,
    false,
    false,
  ])
})

it.each([
  ['', true],
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:7f00:1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['128.0.0.1', false],
  ['::2', false],
  ['1270.0.0.1', false],
])('whether %j is of this machine: %s', (address, local) => {
  expect(isOfThisMachine(address)).toBe(local)
})
