import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ConsolePage, consolePage } from './console-page.js'

const folder = mkdtempSync(join(tmpdir(), 'godwit-console-'))
let page: ConsolePage
beforeAll(() => {
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html>')
  writeFileSync(join(folder, 'assets/index-1.js'), 'run()')
  writeFileSync(join(folder, 'secret.txt'), 'of no type that a page has')
  page = consolePage(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

const asked = (path: string, init?: RequestInit) => page.fetch(new Request(`http://localhost:18083${path}`, init))

test('is at the root, looked for anew each time; its assets never change', async () => {
  const index = await asked('/')
  expect(index?.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(index?.headers.get('cache-control')).toBe('no-cache')
  expect(await index?.text()).toBe('<!doctype html>')
  const asset = await asked('/assets/index-1.js')
  expect(asset?.headers.get('cache-control')).toContain('immutable')
  expect(await asset?.text()).toBe('run()')
})

test('lets nothing run but its own files, and nothing leave', async () => {
  const { headers } = (await asked('/'))!
  expect(headers.get('content-security-policy')).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  )
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
})

test('comes compressed to whoever takes that, and without a body for HEAD', async () => {
  const zipped = await asked('/', { headers: { 'accept-encoding': 'br, gzip' } })
  expect(zipped?.headers.get('content-encoding')).toBe('gzip')
  expect(gunzipSync(Buffer.from(await zipped!.arrayBuffer())).toString()).toBe('<!doctype html>')
  const head = await asked('/', { method: 'HEAD' })
  expect(head?.headers.get('content-length')).toBe('15')
  expect(await head?.text()).toBe('')
})

test.each(['/nothing', '/secret.txt', '/../package.json', '/%2e%2e/package.json', '/assets', '/assets/'])(
  'has nothing at %s',
  async (path) => {
    expect(await asked(path)).toBeUndefined()
  },
)

test('is only read', async () => {
  expect(await asked('/', { method: 'POST' })).toBeUndefined()
})
