import { expect, test, vi } from 'vitest'
import { nodeFlaw } from '../src/node-floor.js'

test.each([
  ['18.20.4', false],
  ['20.9.0', false],
  ['20.18.3', false],
  ['20.19.0', true],
  ['22.0.0', true],
  ['26.1.0-nightly', true],
  [undefined, true],
])('Node %s', (version, fine) => {
  expect(nodeFlaw(version)).toBe(fine ? undefined : `Godwit needs Node 20.19 or newer; this is Node ${version}`)
})

test('a Node that is too old is told so by every door, at import', async () => {
  vi.stubGlobal('process', { ...process, versions: { ...process.versions, node: '18.19.1' } })
  try {
    for (const door of ['../src/index.js', '../../client/src/index.js']) {
      vi.resetModules()
      await expect(import(door)).rejects.toThrow('Godwit needs Node 20.19 or newer; this is Node 18.19.1')
    }
  } finally {
    vi.unstubAllGlobals()
  }
})
