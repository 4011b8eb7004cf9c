import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { controlPathOf } from './control-client.js'
import { controlPath, pathProblem } from './control-path.js'

test.each([
  [{ data: '/var/lib/godwit' }, '/var/lib/godwit/control.sock'],
  [{ data: './godwit-data' }, resolve('godwit-data/control.sock')],
  [{ data: '/var/lib/godwit', control: '/run/godwit.sock' }, '/run/godwit.sock'],
  [{ data: 'memory' }, undefined],
  [{ data: 'memory', control: '/run/godwit.sock' }, '/run/godwit.sock'],
  [{ data: '/var/lib/godwit', control: false as const }, undefined],
  [{ data: '/var/lib/godwit', control: 'none' }, undefined],
])('of %j', (settings, path) => {
  expect(controlPath(settings)).toBe(path)
})

describe('a command finds the broker', () => {
  test.each([
    ['where godwit broker keeps its data', {}, {}, resolve('godwit-data/control.sock')],
    ['in the data folder of the environment', {}, { GODWIT_DATA: '/a' }, '/a/control.sock'],
    ['at the socket of the environment', {}, { GODWIT_DATA: '/a', GODWIT_CONTROL: '/c' }, '/c'],
    ['by --data', { data: '/b' }, { GODWIT_DATA: '/a', GODWIT_CONTROL: '/c' }, '/b/control.sock'],
    ['by --control', { data: '/b', control: '/d' }, {}, '/d'],
  ])('%s', (_, flags, environment, path) => {
    expect(controlPathOf(flags, environment)).toBe(path)
  })

  test('unless it has no socket', () => {
    expect(() => controlPathOf({ data: 'memory' }, {})).toThrow(
      /only when it is given one: name it.* with --control PATH/,
    )
  })
})

test.runIf(process.platform === 'linux')('a path may have 107 bytes (Linux)', () => {
  expect(pathProblem(`/${'x'.repeat(106)}`)).toBeUndefined()
  expect(pathProblem(`/${'é'.repeat(54)}`)).toMatch(
    /has 109 bytes, and that of a socket at most 107; give .* --control/,
  )
})
