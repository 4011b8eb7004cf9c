import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { checkNode } from './node-version.js'

it.each(['18.19.0', '16.20.2', '20.18.3', '20.9.0', '19.9.0'])('Node %s is refused in one line', (version) => {
  expect(() => checkNode('@godwit/broker', version)).toThrow(
    `@godwit/broker needs Node 20.19 or newer; this is ${version}; install a newer one`,
  )
})

it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('Node %s is taken', (version) => {
  expect(() => checkNode('@godwit/broker', version)).not.toThrow()
})

it.each(['broker', 'conformance'])('%s asks when it is loaded, and says in its package what it asks for', (name) => {
  const read = (path: string): string => readFileSync(new URL(`../../${name}/${path}`, import.meta.url), 'utf8')
  expect(read('src/index.ts')).toContain(`checkNode('@godwit/${name}')`)
  expect(read('src/node-version.ts')).toBe(readFileSync(new URL('node-version.ts', import.meta.url), 'utf8'))
  expect(JSON.parse(read('package.json'))).toMatchObject({ engines: { node: '>=20.19' } })
})
