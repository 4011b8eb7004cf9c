import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { importStage, open } from '../../test/import-stage.js'
import { defaultLayer, fileLayer } from '../config/layers.js'
import { resolve } from '../config/resolve.js'
import { defaults } from '../config/schema.js'
import { mosquittoOptions } from './mosquitto-options.js'

const { home, file, imported } = importStage()

describe('listeners', () => {
  test('without one, as mosquitto: this machine alone, and anybody of it', () => {
    const { values, told } = imported('# nothing')
    expect(values.listeners).toEqual([{ protocol: 'mqtt', host: '127.0.0.1', port: 1883 }])
    expect(values).not.toHaveProperty('allowAnonymous')
    expect(told).toEqual([])
  })

  test.each<[string, object]>([
    ['listener 1884', { protocol: 'mqtt', host: '::', port: 1884 }],
    ['listener 1884 10.0.0.1', { protocol: 'mqtt', host: '10.0.0.1', port: 1884 }],
    ['listener 1884 # all', { protocol: 'mqtt', host: '::', port: 1884 }],
    ['listener 0 /run/m.sock', { protocol: 'mqtt', socket: '/run/m.sock' }],
    ['port 1885', { protocol: 'mqtt', host: '::', port: 1885 }],
    ['bind_address 10.0.0.2', { protocol: 'mqtt', host: '10.0.0.2', port: 1883 }],
    ['listener 1884\nsocket_domain ipv4', { protocol: 'mqtt', host: '0.0.0.0', port: 1884 }],
    [
      'listener 9001\nprotocol websockets\nwebsockets_origin https://a.example',
      { protocol: 'ws', host: '::', port: 9001, path: '*', origins: ['https://a.example'] },
    ],
    [
      'listener 8883\ncertfile c\nkeyfile k\ncafile a\nrequire_certificate true\ncrlfile r\ntls_version tlsv1.3\nciphers X',
      {
        protocol: 'mqtts',
        host: '::',
        port: 8883,
        tls: { cert: 'c', key: 'k', ca: 'a', requestCert: true, crl: 'r', minVersion: 'TLSv1.3', ciphers: 'X' },
      },
    ],
    [
      'listener 8883\ncertfile c\nkeyfile k\ncafile a\nrequire_certificate true\nuse_identity_as_username true',
      {
        protocol: 'mqtts',
        host: '::',
        port: 8883,
        tls: { cert: 'c', key: 'k', ca: 'a', requestCert: true },
        auth: { certificate: 'cn' },
      },
    ],
  ])('%s', (text, listener) => {
    const { values, told } = imported(...open, text)
    expect(values.listeners).toEqual([listener])
    expect(told).toEqual([])
  })

  test('`protocol mqtt` before the first listener opens none', () => {
    const { values } = imported(...open, 'protocol mqtt', 'listener 1883')
    expect(values.listeners).toHaveLength(1)
  })

  test('with settings of their own', () => {
    const { values } = imported(
      'per_listener_settings true',
      'listener 1883 127.0.0.1',
      'allow_anonymous true',
      'listener 1884',
      'password_file /p',
      'acl_file /a',
    )
    expect(values.listeners).toMatchObject([
      { port: 1883, allowAnonymous: true },
      { port: 1884, auth: { passwordFile: '/p' }, acl: { file: '/a' } },
    ])
    expect(values).not.toHaveProperty('auth')
  })

  test('what is one for all here is taken from one, or told', () => {
    const one = imported(...open, 'listener 1883', 'max_connections 100', 'max_qos 1', 'max_topic_alias 5')
    expect(one.values).toMatchObject({
      limits: { maxConnections: 100, topicAliasMaximum: 5 },
      features: { maximumQos: 1 },
    })
    const two = imported(...open, 'listener 1883', 'max_qos 1', 'listener 1884')
    expect(two.told).toEqual(['3: max_qos 1: features.maximumQos is one for all listeners; say it yourself'])
  })
})

describe('settings of the broker', () => {
  test.each<[string, object]>([
    ['password_file /p', { auth: { passwordFile: '/p' } }],
    ['acl_file /a b', { acl: { file: '/a b' } }],
    ['allow_zero_length_clientid false', { features: { emptyClientIds: false } }],
    ['persistence true\npersistence_location /var/lib/mosquitto/', { data: '/var/lib/mosquitto/godwit' }],
    ['persistence false', { data: 'memory' }],
    ['max_inflight_messages 0', { limits: { maxInflight: 65_535 } }],
    ['max_queued_messages 5000', { limits: { maxQueuedMessages: 5_000 } }],
    ['max_packet_size 1000', { limits: { maxPacketBytes: 1_000 } }],
    ['message_size_limit 1000', { limits: { maxPacketBytes: 66_551 } }],
    ['max_keepalive 600', { limits: { maxKeepAliveSeconds: 600 } }],
    [
      'persistent_client_expiration 2d',
      { limits: { sessionExpirySeconds: 172_800, maxSessionExpirySeconds: 172_800 } },
    ],
    ['retain_available false', { features: { retainAvailable: false } }],
    ['sys_interval 0', { sysIntervalSeconds: 0 }],
    ['log_type error\nlog_type notice\nlog_type warning', { log: { level: 'info' } }],
    ['log_type error # all else is noise', { log: { level: 'error' } }],
    ['log_type all\nlog_type none\nlog_type warning', { log: { level: 'warn' } }],
    ['log_dest file /var/log/a b.log # not this', { log: { file: '/var/log/a b.log # not this' } }],
    ['log_dest stdout\nlog_dest file /l', { log: { file: '/l', stderr: true } }],
    ['log_dest none\nlog_dest file /l', { log: { file: '/l' } }],
    ['', { features: { mqtt31: true } }],
  ])('%j', (text, values) => {
    const result = imported(...open, 'listener 1883', text)
    expect(result.values).toMatchObject(values)
    expect(result.told).toEqual([])
  })

  test('`accept_protocol_versions` switches 3.1 off, and nothing else', () => {
    const { values, told } = imported(...open, 'listener 1883', 'accept_protocol_versions 5')
    expect(values.features).toEqual({ mqtt31: false })
    expect(told).toEqual([expect.stringMatching(/^3: .*always served/)])
  })
})

describe('what cannot be is told by its line', () => {
  test.each<[string, RegExp]>([
    ['listener 1884\ncapath /c', /^3: capath \/c: its listener has no TLS/],
    ['listener 1884\ncertfile c\nkeyfile k\ncapath /c', /^5: capath \/c: no certificate is found in it/],
    ['listener 1884\nmount_point a', /^3: mount_point a: topics are the same/],
    ['max_queued_messages 0', /^2: max_queued_messages 0: every bound is finite/],
    ['queue_qos0_messages true', /^2: queue_qos0_messages true: QoS 0 waits for nobody/],
    ['log_dest syslog', /^2: log_dest syslog: the log goes to stderr/],
    [
      'max_queued_mesages 1',
      /^2: max_queued_mesages 1: mosquitto has no such option; did you mean max_queued_messages\?/,
    ],
    ['use_username_as_clientid true', /^2: /],
    ['listener 1884\ntls_version tlsv1.1\ncertfile c\nkeyfile k', /^3: .*TLS below 1\.2/],
    ['listener 1884\ncertfile c\nkeyfile k\nrequire_certificate true', /^5: .*it needs tls\.ca/],
    ['listener 1884\nwebsockets_origin a', /^3: .*origins are for a listener of WebSocket/],
    ['acl_file rules.yaml', /^2: acl_file rules\.yaml: .*rename/],
  ])('%j', (text, why) => {
    expect(imported(...open, text).told).toEqual([expect.stringMatching(why)])
  })

  test('a plugin once, without its secrets', () => {
    const { told, yaml } = imported(...open, 'auth_plugin /go-auth.so', 'auth_opt_http_host sesame')
    expect(told).toEqual([
      expect.stringMatching(
        /^2: auth_plugin \/go-auth\.so: no plugins are loaded \(with 1 more line of it\); auth\.http/,
      ),
    ])
    expect(yaml).not.toContain('sesame')
  })

  test('nobody may come in', () => {
    expect(imported('listener 1883', 'listener 1884').told).toEqual([
      expect.stringMatching(/^1: listener 1883: mosquitto lets nobody in without a password file; add auth/),
    ])
  })
})

test('the password and acl files of plugins of 2.1 are read', () => {
  const { values } = imported(
    'listener 1883',
    'global_plugin /lib/mosquitto_password_file.so',
    'plugin_opt_password_file /p',
  )
  expect(values.auth).toEqual({ passwordFile: '/p' })
})

test('behind each value stands its line, and the whole passes the check', () => {
  const { yaml } = imported('listener 1883', 'password_file /p', 'set_tcp_nodelay true')
  expect(yaml).toContain(`passwordFile: /p # ${file}:2 password_file\n`)
  expect(yaml).toContain(`#   ${file}:3: set_tcp_nodelay true: that is so\n`)
  const result = join(home, 'result.yaml')
  writeFileSync(result, yaml)
  expect(resolve([defaultLayer(defaults), fileLayer(result)]).config.listeners).toHaveLength(1)
})

/** What mosquitto takes for each kind of value. */
const valueFor = (option: string): string => {
  const { kind } = mosquittoOptions.get(option)!
  const own: Readonly<Record<string, string>> = {
    log_dest: 'syslog',
    bridge_protocol_version: 'mqttv50',
    bridge_tls_version: 'tlsv1.3',
    topic: '# in 2',
    accept_protocol_versions: '5',
    tls_version: 'tlsv1.3',
  }
  if (kind.kind === 'word') return kind.words.at(-1)!
  if (kind.kind === 'duration') return '1d'
  if (kind.kind === 'number') return String(kind.most ?? 1_000)
  return own[option] ?? (kind.kind === 'boolean' ? 'true' : 'x')
}

test('every option is known: it is written, or something is told of it', () => {
  const base = ['persistence false', 'listener 1883', 'certfile c', 'keyfile k', 'cafile a']
  const plain = imported(...base).yaml
  const silent = [...mosquittoOptions].filter(([option, { scope }]) => {
    const group =
      scope === 'bridge'
        ? ['connection c', 'address a', 'topic # out', 'bridge_cafile a']
        : scope === 'plugin'
          ? ['plugin /p.so']
          : []
    const { yaml, refused } = imported(...base, ...group, `${option} ${valueFor(option)}`)
    return refused.length > 0 || yaml === plain
  })
  expect(silent.map(([option]) => option)).toEqual([])
})

const manual = '/usr/share/man/man5/mosquitto.conf.5.gz'

test('the table has every option of the manual that is installed here', ({ skip }) => {
  if (!existsSync(manual)) skip(`${manual} is not there: apt-get install mosquitto`)
  const text = gunzipSync(readFileSync(manual)).toString()
  const named = [...text.matchAll(/^\.PP\n\\fB([a-z][\w.\\&]*)\\fR/gm)].map(([, name]) => name!.replaceAll(/\\&?/g, ''))
  const options = new Set(
    named.filter((name) => !/^(listener|include_dir|auth_opt_|plugin_opt_|mosquitto(\.conf)?)$/.test(name)),
  )
  expect(options.size).toBeGreaterThan(80)
  expect([...options].filter((name) => !mosquittoOptions.has(name))).toEqual([])
})
