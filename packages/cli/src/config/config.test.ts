import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { defaultLayer, environmentLayer, fileLayer, flagLayer } from './layers.js'
import { printed } from './print.js'
import { resolve } from './resolve.js'
import { defaults, jsonSchema } from './schema.js'

const folder = mkdtempSync(join(tmpdir(), 'godwit-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

let files = 0
function file(text: string): string {
  const path = join(folder, `${++files}.yaml`)
  writeFileSync(path, text)
  return path
}

const base = defaultLayer(defaults)

describe('layers', () => {
  test('without any, the defaults hold', () => {
    expect(resolve([base]).config).toEqual({
      listeners: [{ protocol: 'mqtt', host: '127.0.0.1' }],
      allowAnonymous: false,
      auth: {},
      acl: {},
      data: './godwit-data',
      limits: {},
      features: {},
      log: { level: 'info' },
    })
  })

  test('flags go before the environment, that before the file, that before the defaults, setting by setting', () => {
    const path = file(
      'data: from-file\nlog:\n  level: warn\nlimits:\n  maxInflight: 1\n  maxQueuedMessages: 2\n  maxQueuedBytes: 1KiB\n',
    )
    const environment = environmentLayer({
      GODWIT_LIMITS__MAX_INFLIGHT: '10',
      GODWIT_LIMITS__MAX_QUEUED_MESSAGES: '20',
      HOME: '/root',
      GODWIT_TEST_SEED: '1',
    })
    const flags = flagLayer({ limits: { maxInflight: 100 } }, { 'limits.maxInflight': '--max-inflight' })
    const { config, origin } = resolve([base, fileLayer(path), environment, flags])
    expect(config).toMatchObject({
      data: 'from-file',
      log: { level: 'warn' },
      limits: { maxInflight: 100, maxQueuedMessages: 20, maxQueuedBytes: 1024 },
    })
    expect(
      [
        ['limits', 'maxInflight'],
        ['limits', 'maxQueuedMessages'],
        ['limits', 'maxQueuedBytes'],
        ['log', 'level'],
        ['allowAnonymous'],
      ].map(origin),
    ).toEqual(['--max-inflight', 'GODWIT_LIMITS__MAX_QUEUED_MESSAGES', `${path}:7:3`, `${path}:3:3`, 'default'])
  })

  test('a list is one setting', () => {
    const path = file('listeners:\n  - port: 1\n  - port: 2\n')
    const flags = flagLayer({ listeners: [{ port: 3 }] }, { listeners: '--port' })
    expect(resolve([base, fileLayer(path)]).config.listeners.map(({ port }) => port)).toEqual([1, 2])
    expect(resolve([base, fileLayer(path), flags]).config.listeners.map(({ port }) => port)).toEqual([3])
  })

  test('JSON is read too, and a list from the environment', () => {
    const path = file('{"data": "memory", "limits": {"maxQueuedBytes": 5}}')
    const environment = environmentLayer({ GODWIT_LISTENERS: '[{port: 7}]' })
    expect(resolve([base, fileLayer(path), environment]).config).toMatchObject({
      data: 'memory',
      limits: { maxQueuedBytes: 5 },
      listeners: [{ port: 7 }],
    })
  })

  test('an empty file says nothing', () => {
    expect(resolve([base, fileLayer(file(''))]).config).toEqual(resolve([base]).config)
  })
})

describe('a mistake is told with its place', () => {
  test.each([
    [
      'dat: x\n',
      "1:1: there is no key 'dat'; it takes listeners, allowAnonymous, auth, acl, data, limits, features, log",
    ],
    [
      'listeners:\n  - prot: 1\n',
      "2:5: there is no key 'listeners.0.prot'; it takes protocol, host, port, socket, path, origins, tls, proxyProtocol",
    ],
    ['log:\n  level: loud\n', /2:3: log\.level: .*"debug"\|"info"\|"warn"\|"error"/],
    ['limits:\n  maxQueuedBytes: lots\n', '2:3: limits.maxQueuedBytes: it takes a size such as 1048576 or "512MiB"'],
    ['listeners:\n  - port: 70000\n', /2:5: listeners\.0\.port: .*65535/],
    ['listeners: []\n', /1:1: listeners: /],
    ['listeners:\n  - protocol: mqtts\n', '2:5: listeners.0.protocol: mqtts needs tls, with cert and key'],
    ['listeners:\n  - path: /x\n', /path and origins are for ws and wss/],
    ['a: [1\n', /2:1: .*/],
    ['- 1\n', '1:1: a configuration is a list of "key: value"; see docs/configuration.md'],
  ])('%j', (text, problem) => {
    const path = file(text)
    const message = typeof problem === 'string' ? `${path}:${problem}` : problem
    expect(() => resolve([base, fileLayer(path)])).toThrow(message)
    expect(() => resolve([base, fileLayer(path)])).toThrow(path)
  })

  test('in the environment', () => {
    const environment = environmentLayer({ GODWIT_LIMITS__MAX_INFLIGHT: 'many' })
    expect(() => resolve([base, environment])).toThrow(/^GODWIT_LIMITS__MAX_INFLIGHT: limits\.maxInflight: /)
    expect(() => resolve([base, environmentLayer({ GODWIT_DAT: 'x' })])).toThrow(
      "GODWIT_DAT: there is no key 'dat'; it takes ",
    )
  })

  test('in a file that is not there', () => {
    expect(() => fileLayer('none.yaml')).toThrow(
      'cannot read the configuration none.yaml: no such file or folder; name a YAML or JSON file',
    )
  })
})

test('printed, each value is followed by its origin, and the whole is a configuration again', () => {
  const path = file('limits:\n  maxInflight: 3\n')
  const text = printed(resolve([base, fileLayer(path)]))
  expect(text).toContain(`  maxInflight: 3 # ${path}:2:3\n`)
  expect(text).toContain('  - protocol: mqtt # default\n')
  expect(resolve([base, fileLayer(file(text))]).config).toEqual(resolve([base, fileLayer(path)]).config)
})

test('the JSON Schema knows every key, and none is required', () => {
  const schema = jsonSchema() as { properties: Record<string, unknown>; required?: unknown }
  expect(Object.keys(schema.properties)).toEqual([
    'listeners',
    'allowAnonymous',
    'auth',
    'acl',
    'data',
    'limits',
    'features',
    'log',
  ])
  expect(schema.required).toBeUndefined()
})
