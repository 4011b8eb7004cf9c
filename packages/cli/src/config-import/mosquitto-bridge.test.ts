import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { importMosquitto } from './mosquitto-import.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-import-bridge-'))
afterAll(() => rmSync(home, { recursive: true }))

/** The first bridge that becomes of these lines, what is told of them, and the secrets. */
function imported(...lines: readonly string[]) {
  const file = join(home, 'mosquitto.conf')
  writeFileSync(file, ['listener 1883 127.0.0.1', 'allow_anonymous true', ...lines].join('\n'))
  const { yaml, untranslated, remarks, refused, secrets } = importMosquitto(file, {
    passwords: '/etc/godwit.passwords',
  })
  const told = [...refused, ...untranslated, ...remarks].map(({ said, why }) => `${said}: ${why}`)
  const { bridges = [] } = parse(yaml) as { bridges?: readonly Record<string, unknown>[] }
  return { bridge: bridges[0], bridges, told, secrets: [...secrets], yaml }
}

const least = ['connection c', 'address far.example', 'topic # out 1']

describe('the kinds of the manual', () => {
  test('everything out, at QoS 0', () => {
    const { bridge, told } = imported('connection bridge-01', 'address 192.168.1.2:1884', 'topic #')
    expect(bridge).toEqual({
      name: 'bridge-01',
      url: 'mqtt://192.168.1.2:1884',
      version: '3.1.1',
      topics: [{ filter: '#', direction: 'out', qos: 0 }],
    })
    expect(told).toEqual([])
  })

  test('prefixes, and a topic that is both', () => {
    const { bridge } = imported(
      ...least.slice(0, 2),
      'topic clients/total in 0 test/mosquitto/org $SYS/broker/',
      'topic # both 2 local/topic/ remote/topic/',
      'topic "" out 1 here there',
    )
    expect(bridge?.topics).toEqual([
      {
        filter: 'clients/total',
        direction: 'in',
        qos: 0,
        localPrefix: 'test/mosquitto/org',
        remotePrefix: '$SYS/broker/',
      },
      { filter: '#', direction: 'both', qos: 2, localPrefix: 'local/topic/', remotePrefix: 'remote/topic/' },
      { filter: '', direction: 'out', qos: 1, localPrefix: 'here', remotePrefix: 'there' },
    ])
  })

  test('several addresses', () => {
    const { bridge, told } = imported('connection c', 'addresses a.example b.example:8883', 'topic # out')
    expect(bridge?.url).toEqual(['mqtt://a.example:1883', 'mqtt://b.example:8883'])
    expect(told).toEqual([expect.stringMatching(/goes back to the first address/)])
  })

  test('user name and password: the password goes into a file', () => {
    const { bridge, secrets, yaml } = imported(...least, 'remote_username u', 'remote_password sesame')
    expect(bridge).toMatchObject({ username: 'u', passwordFrom: '/etc/bridge-c.pw' })
    expect(secrets).toEqual([['/etc/bridge-c.pw', 'sesame\n']])
    expect(yaml).not.toContain('sesame')
  })

  test('TLS with a certificate', () => {
    const { bridge } = imported(
      ...least,
      'bridge_cafile /ca',
      'bridge_certfile /cert',
      'bridge_keyfile /key',
      'bridge_insecure true',
      'bridge_tls_version tlsv1.3',
      'bridge_alpn mqtt',
    )
    expect(bridge).toMatchObject({
      url: 'mqtts://far.example:1883',
      tls: { ca: '/ca', cert: '/cert', key: '/key', checkServername: false, minVersion: 'TLSv1.3', alpn: ['mqtt'] },
    })
  })
})

test.each<[string, Record<string, unknown>]>([
  ['bridge_protocol_version mqttv50', { version: '5.0' }],
  ['remote_clientid me', { clientId: 'me' }],
  ['clientid me', { clientId: 'me' }],
  ['local_clientid me', { localClientId: 'me' }],
  ['cleansession true', { expirySeconds: 0 }],
  ['keepalive_interval 30', { keepAliveSeconds: 30 }],
  ['notifications false', { state: false }],
  ['notification_topic a/b', { state: { topic: 'a/b' } }],
  ['notifications_local_only true', { state: { localOnly: true } }],
  ['try_private false', { bridgeProtocol: false }],
  ['restart_timeout 10', { reconnect: { initialMs: 10_000, maxMs: 10_000 } }],
  ['restart_timeout 5 60', { reconnect: { initialMs: 5_000, maxMs: 60_000 } }],
  ['bridge_outgoing_retain false', { outgoingRetain: false }],
  ['bridge_max_packet_size 1000', { maxPacketBytes: 1_000 }],
  ['bridge_receive_maximum 5', { receiveMaximum: 5 }],
  ['bridge_max_topic_alias 5', { topicAliasMaximum: 5 }],
])('%s', (line, wanted) => {
  expect(imported(...least, line).bridge).toMatchObject(wanted)
})

test.each<[string, RegExp]>([
  ['bridge_psk 1234', /pre-shared keys, so this bridge is left out/],
  ['bridge_identity me', /pre-shared keys/],
  ['bridge_require_ocsp true', /no OCSP is asked for/],
])('left out, rather than less safe: %s', (line, why) => {
  const { bridges, told } = imported(...least, line)
  expect([bridges, told]).toEqual([[], [expect.stringMatching(why)]])
})

test.each<[string, RegExp]>([
  ['start_type lazy', /^start_type lazy: a bridge connects when the broker starts/],
  ['bridge_bind_address 10.0.0.1', /the system chooses the address/],
  ['local_cleansession true', /expirySeconds is one for both sides/],
  ['bridge_tls_version tlsv1.1', /no TLS below 1\.2/],
  ['topic a sideways', /it takes a pattern, then out, in or both/],
])('told: %s', (line, why) => {
  expect(imported(...least, line).told).toEqual([expect.stringMatching(why)])
})
