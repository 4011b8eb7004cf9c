import { expect, test } from 'vitest'
import { problemsOf } from './check-imports.mjs'

const broker = (files: Record<string, string>): string[] =>
  problemsOf({
    name: '@godwit/broker',
    folder: 'packages/broker',
    dependencies: ['@godwit/protocol', 'lmdb'],
    files: new Map(Object.entries(files)),
  })

test('imports of lower rooms, of the own room and of dependencies are fine', () => {
  expect(
    broker({
      'src/session/session.ts': `import type { QoS } from '@godwit/protocol'\nimport { Queue } from '../store/queue.js'\nimport './will.js'`,
      'src/store/queue.ts': `import { open } from 'lmdb'\nimport { readFile } from 'node:fs/promises'`,
      'src/session/will.ts': `import { BrokerError } from '../errors.js'`,
      'src/errors.ts': `export * from './limits.js'`,
    }),
  ).toEqual([])
})

test('a higher room is refused with the line, for types too', () => {
  expect(
    broker({
      'src/handlers/connect.ts': `import './context.js'\n\nimport type { C } from '../connection/connection.js'\n`,
    }),
  ).toEqual([
    "packages/broker/src/handlers/connect.ts:3 imports '../connection/connection.js': connection is above handlers",
  ])
  expect(broker({ 'src/store/store.ts': `export type A = import('../broker.js').Broker` })).toEqual([
    "packages/broker/src/store/store.ts:1 imports '../broker.js': broker.ts is above store",
  ])
})

test('rooms of one row are refused to each other, and so is a room that no row names', () => {
  expect(broker({ 'src/store/store.ts': `import '../transport/tcp.js'` })[0]).toMatch('rooms of one row')
  expect(broker({ 'src/router/router.ts': `import '../attic/old.js'` })[0]).toMatch('attic is in no row')
})

test('a test may import any room, and no source may import a test', () => {
  expect(
    broker({
      'src/errors.test.ts': `import '../src/broker.js'\nimport '@godwit/conformance'\nimport 'vitest'`,
      'test/03-publish.test.ts': `import '../src/errors.js'`,
    }),
  ).toEqual([])
  expect(broker({ 'src/broker.ts': `import './errors.test.js'` })[0]).toMatch('may not need a test')
})

test('other packages only as the table says', () => {
  expect(broker({ 'src/broker.ts': `import '@godwit/client/x'` })[0]).toMatch(
    '@godwit/broker may not use @godwit/client',
  )
  expect(broker({ 'src/broker.ts': `import 'ws'` })[0]).toMatch('ws is not among its dependencies')
  expect(broker({ 'src/broker.ts': `import '../../client/src/index.js'` })[0]).toMatch('reaches out of its package')
})

test('Node only where a package that runs in browsers says so', () => {
  const files = new Map([
    ['src/socket-node.ts', `import { Socket } from 'node:net'`],
    ['src/session.ts', `import { Buffer } from 'buffer'`],
  ])
  expect(problemsOf({ name: '@godwit/client', folder: 'packages/client', dependencies: [], files })).toEqual([
    expect.stringMatching("^packages/client/src/session.ts:1 imports 'buffer': @godwit/client also runs in browsers"),
  ])
})

test('a circle is reported with its files in order', () => {
  expect(
    broker({
      'src/store/a.ts': `import './b.js'`,
      'src/store/b.ts': `import { x } from './c.js'`,
      'src/store/c.ts': `export * from './b.js'`,
    }),
  ).toEqual(['packages/broker: circle src/store/b.ts → src/store/c.ts → src/store/b.ts'])
})
