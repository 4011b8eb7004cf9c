import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readConfig } from './config-file.js'

const folder = mkdtempSync(join(tmpdir(), 'godwit-config-'))
const file = join(folder, 'godwit.json')
afterAll(() => rmSync(folder, { recursive: true }))

function read(text: string): unknown {
  writeFileSync(file, text)
  return readConfig(file)
}

test('every key', () => {
  const config = { host: '::1', port: 0, allowAnonymous: true, data: 'memory', logLevel: 'warn' }
  expect(
    read(JSON.stringify({ ...config, limits: { maxInflight: 10, maxQueuedBytes: '512MiB', maxRetainedBytes: 0 } })),
  ).toEqual({
    ...config,
    limits: { maxInflight: 10, maxQueuedBytes: 536_870_912, maxRetainedBytes: 0 },
  })
})

test('none', () => {
  expect(read('{}')).toEqual({})
})

test.each([
  ['port: 1884', 'not JSON'],
  ['[]', 'it holds no JSON object'],
  ['null', 'it holds no JSON object'],
  ['{"prot": 1}', "there is no key 'prot'; it takes host, port"],
  ['{"toString": 1}', "there is no key 'toString'"],
  ['{"__proto__": 1}', "there is no key '__proto__'"],
  ['{"port": "1884"}', 'port is "1884"; it takes a whole number from 0 to 65535'],
  ['{"port": 65536}', 'port is 65536'],
  ['{"port": 1.5}', 'port is 1.5'],
  ['{"host": ""}', 'host is ""'],
  ['{"data": null}', 'data is null; it takes a folder, or "memory"'],
  ['{"allowAnonymous": "yes"}', 'allowAnonymous is "yes"; it takes true or false'],
  ['{"logLevel": "loud"}', 'logLevel is "loud"; it takes debug, info, warn, error'],
  ['{"limits": []}', 'limits is []; it takes an object'],
  ['{"limits": {"maxFoo": 1}}', 'there is no limits.maxFoo; it takes maxPacketBytes'],
  ['{"limits": {"maxInflight": "10"}}', 'limits.maxInflight is "10"; it takes a whole number'],
  ['{"limits": {"maxQueuedBytes": "much"}}', 'limits.maxQueuedBytes is "much"; it takes a size'],
])('%s is refused, naming file and key', (text, problem) => {
  expect(() => read(text)).toThrow(`${file}: ${problem}`)
})

test('a file that is not there', () => {
  expect(() => readConfig(join(folder, 'none.json'))).toThrow(
    /^cannot read the configuration .*none\.json: no such file/,
  )
})
