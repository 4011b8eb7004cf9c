import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { CommandError } from '../command-error.js'
import { exposedSecrets } from './exposed-secrets.js'
import { defaultLayer, environmentLayer, fileLayer, flagLayer } from './layers.js'
import { printed } from './print.js'
import { resolve } from './resolve.js'
import { defaults, jsonSchema } from './schema.js'
import { isTextAt } from './schema-path.js'

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
    expect(resolve([base]).config).toMatchObject({
      listeners: [{ protocol: 'mqtt', host: '127.0.0.1' }],
      allowAnonymous: false,
      auth: {},
      acl: {},
      data: './godwit-data',
      limits: {},
      features: {},
      sysIntervalSeconds: 10,
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
      data: join(folder, 'from-file'),
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

  test('what an item of a list leaves out comes from nobody', () => {
    const path = file('listeners:\n  - { protocol: mqtts, tls: { cert: c, key: k } }\n')
    const environment = environmentLayer({ GODWIT_LISTENERS__0__PORT: '7' })
    const { origin } = resolve([base, fileLayer(path), environment])
    expect(
      [['protocol'], ['host'], ['port'], ['tls', 'cert'], ['tls', 'minVersion']].map((inner) =>
        origin(['listeners', 0, ...inner]),
      ),
    ).toEqual([`${path}:2:7`, 'default', 'GODWIT_LISTENERS__0__PORT', `${path}:2:31`, 'default'])
    const flags = flagLayer({ listeners: [{ port: 3 }] }, { listeners: '--host and --port' })
    const ofFlags = resolve([base, fileLayer(path), flags])
    expect(ofFlags.origin(['listeners', 0, 'port'])).toBe('--host and --port')
    expect(ofFlags.origin(['listeners', 0, 'host'])).toBe('default')
    expect(() => resolve([base, fileLayer(file('listeners: {}\n'))])).toThrow('listeners: it takes a list')
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

  test.each(['', 'auth:\nlimits:\n  # maxInflight: 1\n'])('%j says nothing', (text) => {
    expect(resolve([base, fileLayer(file(text))]).config).toEqual(resolve([base]).config)
  })

  test('the environment may say one thing of a listener', () => {
    const path = file('listeners:\n  - port: 1\n  - { protocol: mqtts, tls: { cert: c.pem, key: k.pem } }\n')
    const environment = environmentLayer({ GODWIT_LISTENERS__1__TLS__PASSPHRASE: '1234' }, isTextAt)
    const { config, origin } = resolve([base, fileLayer(path), environment])
    expect(config.listeners).toMatchObject([{ port: 1 }, { tls: { cert: join(folder, 'c.pem'), passphrase: '1234' } }])
    expect(origin(['listeners', 1, 'tls', 'passphrase'])).toBe('GODWIT_LISTENERS__1__TLS__PASSPHRASE')
    expect(origin(['listeners', 1, 'tls', 'cert'])).toBe(`${path}:3:31`)
  })

  test('what Kubernetes tells of a Service that is called godwit is not for the broker', () => {
    const layer = environmentLayer({ GODWIT_PORT: 'tcp://10.0.0.1:1883', GODWIT_SERVICE_HOST: '10.0.0.1' })
    expect(layer.values).toEqual({})
  })
})

describe('a mistake is told with its place', () => {
  test.each([
    ['dat: x\n', "1:1: there is no key 'dat'; did you mean 'data'?"],
    ['colour: x\n', "1:1: there is no key 'colour'; it takes listeners, allowAnonymous, auth, acl, data, "],
    ['listeners:\n  - prot: 1\n', "2:5: there is no key 'listeners[0].prot'; did you mean 'protocol'?"],
    [
      'limits:\n  max_queued_bytes: 1\n',
      "2:3: there is no key 'limits.max_queued_bytes'; did you mean 'maxQueuedBytes'?",
    ],
    ['maxInflight: 1\n', "1:1: there is no key 'maxInflight'; it belongs under 'limits'"],
    ['log:\n  level: loud\n', "2:3: log.level: it takes debug, info, warn, error, not 'loud'"],
    ['log:\n  level: inf\n', "2:3: log.level: it takes debug, info, warn, error, not 'inf'; did you mean 'info'?"],
    ['limits:\n  maxQueuedBytes: lots\n', '2:3: limits.maxQueuedBytes: it takes a size such as 1048576 or "512MiB"'],
    ['limits:\n  maxPacketBytes: 1GiB\n', '2:3: limits.maxPacketBytes: it takes 16 to 268435460 bytes'],
    ['limits:\n  maxQueuedBytes: 0\n', '2:3: limits.maxQueuedBytes: it takes 1 or more'],
    ['port: 1883\n', "1:1: there is no key 'port'; it belongs under 'listeners'"],
    ['listeners:\n  - cert: a.pem\n', "2:5: there is no key 'listeners[0].cert'; it belongs under 'listeners.tls'"],
    ['limits:\n  data: x\n', "2:3: there is no key 'limits.data'; it stands outside, at the beginning of a line"],
    ['data: a\n---\ndata: b\n', '2:1: a second document (---) begins; leave one'],
    ['limits:\n  maxInflight: 70000\n', '2:3: limits.maxInflight: it takes 65535 or less, not 70000'],
    ['limits:\n  maxInflight: many\n', "2:3: limits.maxInflight: it takes a whole number, not 'many'"],
    ['listeners:\n  - port: 70000\n', '2:5: listeners[0].port: it takes 65535 or less, not 70000'],
    ['allowAnonymous: yes\n', "1:1: allowAnonymous: it takes true or false, not 'yes'"],
    ['data: ""\n', '1:1: data: it is empty'],
    ['listeners: []\n', '1:1: listeners: the list is empty; it takes one item or more'],
    ['listeners:\n  port: 1\n', '1:1: listeners: it takes a list'],
    ['listeners:\n  - protocol: mqtts\n', '2:5: listeners[0].protocol: mqtts needs tls, with cert and key'],
    ['listeners:\n  - protocol: mqtts\n    tls:\n      cert: a.pem\n', '3:5: listeners[0].tls.key: it is needed here'],
    ['listeners:\n  - path: /x\n', /path and origins are for ws and wss/],
    ['listeners:\n  - socket: /s\n    socketMode: 660\n', '3:5: listeners[0].socketMode: it takes text, not 660'],
    ['auth:\n  jwt: {}\n', '2:3: auth.jwt: it takes exactly one of secret, secretFile, publicKeyFile and jwksUrl'],
    ['auth:\n  jwt:\n    secret: [a, b]\n', /3:5: auth\.jwt\.secret: it takes text$/],
    ['auth:\n  jwt:\n    secret: <secret>\n', '3:5: auth.jwt.secret: <secret> is what config print shows; say the'],
    ['acl:\n  file: a\n  rules: []\n', '3:3: acl.rules: acl takes one of file and rules, not both'],
    ['data: a\ndata: b\n', '2:1: this key stands here twice; leave one'],
    ['log:\n\tlevel: info\n', /2:1: .*indent with spaces/],
    ['a: [1\n', /2:1: .*/],
    ['- 1\n', '1:1: a configuration is a list of "key: value"; see docs/configuration.md'],
  ])('%j', (text, problem) => {
    const path = file(text)
    const message = typeof problem === 'string' ? `${path}:${problem}` : problem
    expect(() => resolve([base, fileLayer(path)])).toThrow(message)
    expect(() => resolve([base, fileLayer(path)])).toThrow(path)
  })

  test('many aliases are no way to fill the memory', () => {
    const bomb = [
      'a: &a [x, x, x]',
      ...'bcdefgh'
        .split('')
        .map((name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefg'[at]}`).join(', ')}]`),
    ]
    const path = file(bomb.join('\n'))
    expect(() => fileLayer(path)).toThrow(`${path}:1:1: Excessive alias count`)
  })

  test('in the environment', () => {
    const environment = environmentLayer({ GODWIT_LIMITS__MAX_INFLIGHT: 'many' })
    expect(() => resolve([base, environment])).toThrow(/^GODWIT_LIMITS__MAX_INFLIGHT: limits\.maxInflight: /)
    expect(() => resolve([base, environmentLayer({ GODWIT_DAT: 'x' })])).toThrow(
      "GODWIT_DAT: there is no key 'dat'; did you mean 'data'?",
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
  const { config } = resolve([base, fileLayer(path)])
  const data = join(folder, 'godwit-data') // the default is where it is started, a file's own is beside it
  expect(resolve([base, fileLayer(file(text))]).config).toEqual({ ...config, data })
})

test('relative paths in a file are relative to its folder, those of flags and environment to where it is started', () => {
  const path = file(`data: mine
control: run/c.sock
listeners:
  - { protocol: mqtts, tls: { cert: ../c.pem, key: /abs/k.pem }, auth: { passwordFile: pw }, acl: { file: rules } }
  - { socket: m.sock }
auth: { jwt: { secretFile: s }, http: { url: "https://a.example/x", headersFile: h } }
`)
  const { config } = resolve([base, fileLayer(path)])
  expect(config).toMatchObject({
    data: join(folder, 'mine'),
    control: join(folder, 'run/c.sock'),
    listeners: [
      {
        tls: { cert: join(folder, '../c.pem'), key: '/abs/k.pem' },
        auth: { passwordFile: join(folder, 'pw') },
        acl: { file: join(folder, 'rules') },
      },
      { socket: join(folder, 'm.sock') },
    ],
    auth: {
      jwt: { secretFile: join(folder, 's') },
      http: { url: 'https://a.example/x', headersFile: join(folder, 'h') },
    },
  })
  expect(resolve([base, fileLayer(file('data: memory\ncontrol: none\n'))]).config).toMatchObject({
    data: 'memory',
    control: 'none',
  })
  expect(resolve([base, environmentLayer({ GODWIT_DATA: 'x' })]).config.data).toBe('x')
})

test('every mistake of a file is told, in its order', () => {
  const path = file('dat: x\nport: 1\nlog: { level: loud }\nlimits: { maxInflight: many }\n')
  const told = (() => {
    try {
      return resolve([base, fileLayer(path)])
    } catch (error) {
      return (error as CommandError).problems.map(({ message }) => message.replace(path, ''))
    }
  })()
  expect(told).toEqual([
    ":1:1: there is no key 'dat'; did you mean 'data'?",
    ":2:1: there is no key 'port'; it belongs under 'listeners'",
    ":3:8: log.level: it takes debug, info, warn, error, not 'loud'",
    ":4:11: limits.maxInflight: it takes a whole number, not 'many'",
  ])
})

describe('the JSON Schema', () => {
  interface Property {
    readonly description?: string
    readonly properties?: Readonly<Record<string, Property>>
    readonly items?: Property
  }
  const schema = jsonSchema() as Property & { readonly required?: unknown }

  test('is for editors: of a draft they know, and nothing is required', () => {
    expect(schema).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' })
    expect(schema.required).toBeUndefined()
    expect(Object.keys(schema.properties ?? {})).toEqual(expect.arrayContaining(['listeners', 'auth', 'acl', 'limits']))
  })

  test('describes every key', () => {
    const silent = (property: Property, name: string): string[] =>
      Object.entries(property.properties ?? property.items?.properties ?? {}).flatMap(([key, below]) => [
        ...(below.description ? [] : [`${name}${key}`]),
        ...silent(below, `${name}${key}.`),
      ])
    expect(silent(schema, '')).toEqual([])
  })
})

describe('secrets', () => {
  const secrets =
    'auth:\n  jwt:\n    secret: sesame\n  http:\n    url: https://u:pw@a.example/\n    headers: { x-key: sesame }\n'

  test('are not shown, only where they come from; and what is shown is not taken for them', () => {
    const path = file(secrets)
    const environment = environmentLayer({ GODWIT_AUTH__HTTP__HEADERS__AUTHORIZATION: 'Bearer sesame' }, isTextAt)
    const text = printed(resolve([base, fileLayer(path), environment]))
    expect(text).not.toMatch(/sesame|pw@/)
    expect(text).toContain(`    secret: <secret> # ${path}:3:5\n`)
    expect(text).toContain('      authorization: <secret> # GODWIT_AUTH__HTTP__HEADERS__AUTHORIZATION\n')
    expect(() => resolve([base, fileLayer(file(text))])).toThrow('<secret> is what config print shows')
  })

  test('are not quoted in complaints', () => {
    const path = file('auth:\n  jwt:\n    secret: 12345678\n')
    expect(() => resolve([base, fileLayer(path)])).toThrow(/: auth\.jwt\.secret: it takes text$/)
  })

  test('in a file that all may read are told', () => {
    const path = file(secrets)
    chmodSync(path, 0o644)
    const key = file('the key')
    chmodSync(key, 0o604)
    const layer = fileLayer(file(`listeners:\n  - { protocol: mqtts, tls: { cert: none.pem, key: ${key} } }\n`))
    const warned = (own: typeof layer): readonly string[] => exposedSecrets(resolve([base, own]))
    expect(warned(fileLayer(path))).toEqual([
      `${path} (the configuration, which holds auth.http.headers) can be read by every user of this machine; chmod o-r ${path}`,
    ])
    expect(warned(layer)).toEqual([
      `${key} (listeners[0].tls.key) can be read by every user of this machine; chmod o-r ${key}`,
    ])
    chmodSync(path, 0o640)
    chmodSync(key, 0o640)
    expect([...warned(fileLayer(path)), ...warned(layer)]).toEqual([])
  })
})
