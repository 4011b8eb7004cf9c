import { expect, it } from 'vitest'
import { mapSize, mapSizeFor } from './tables.js'

const limits = (
  addressSpace: string,
): string => `Limit                     Soft Limit           Hard Limit           Units
Max open files            20000                524288               files
Max address space         ${addressSpace.padEnd(20)} unlimited            bytes
`

it.each([
  ['a machine of 64 bits', 'x64', 'unlimited', 64 * 2 ** 30],
  ['a limit of the address space', 'x64', '20480000000', undefined],
  ['a machine of 32 bits', 'arm', 'unlimited', undefined],
])('%s', (_, arch, addressSpace, expected) => {
  expect(mapSizeFor(arch, limits(addressSpace))).toBe(expected)
})

it.runIf(process.platform === 'linux')('reads what this process may have', () => {
  expect([undefined, 64 * 2 ** 30]).toContain(mapSize())
})
