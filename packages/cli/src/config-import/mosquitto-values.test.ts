import { describe, expect, test } from 'vitest'
import { importStage, open } from '../../test/import-stage.js'

const { imported } = importStage()

describe('values, as mosquitto 2.0.11 read them', () => {
  const tls = 'listener 8883\ncertfile c\nkeyfile k\ncafile a\n'

  test.each<[string, object]>([
    [`${tls}require_certificate true # mTLS`, { listeners: [{ tls: { requestCert: true } }] }],
    [`${tls}require_certificate 1`, { listeners: [{ tls: { requestCert: true } }] }],
    [`${tls}require_certificate   true   `, { listeners: [{ tls: { requestCert: true } }] }],
    ['persistence true # keep\npersistence_location /d', { data: '/d/godwit' }],
    ['listener 1884\nmax_connections 10 # few', { limits: { maxConnections: 10 } }],
    ['listener 1884\nprotocol websockets # for pages', { listeners: [{ protocol: 'ws' }] }],
    ['listener 1884 127.0.0.1 # here', { listeners: [{ host: '127.0.0.1' }] }],
    ['port 1885 # old', { listeners: [{ port: 1885 }] }],
    ['persistent_client_expiration 14d # two weeks', { limits: { sessionExpirySeconds: 1_209_600 } }],
    ['max_keepalive 60 # s', { limits: { maxKeepAliveSeconds: 60 } }],
    ['acl_file /etc/acl # mine', { acl: { file: '/etc/acl # mine' } }],
    ['password_file  \t/etc/pass word\t ', { auth: { passwordFile: '/etc/pass word' } }],
  ])('%j', (text, values) => {
    const result = imported(...open, ...text.split('\n'))
    expect([result.values, result.refused]).toMatchObject([values, []])
  })

  test('-1 with a comment behind it is no bound', () => {
    const { values, refused } = imported(...open, 'listener 1884', 'max_connections -1 # no limit')
    expect([values.limits, refused]).toEqual([undefined, []])
  })

  test('what stands behind a word, and is no comment, is told: mosquitto does not read it', () => {
    expect(imported(...open, 'listener 1884 127.0.0.1 ipv6', 'max_keepalive 5 7').yaml).toMatch(
      /does not read 'ipv6'[\s\S]*does not read '7'/,
    )
  })

  test.each([
    ['allow_anonymous TRUE', "2: allow_anonymous TRUE: it takes true or false, not 'TRUE'"],
    ['allow_anonymous yes', "2: allow_anonymous yes: it takes true or false, not 'yes'"],
    ['allow_anonymous true#x', "2: allow_anonymous true#x: it takes true or false, not 'true#x'"],
    ['allow_anonymous', '2: allow_anonymous: nothing stands behind it'],
    ['allow_anonymous\tfalse', /a tab is none to mosquitto/],
    ['password_file', '2: password_file: nothing stands behind it'],
    ['listener many', /^2: listener many: it takes a port/],
    ['listener 70000', /^2: listener 70000: it takes a port/],
    ['listener 0 # none', /^2: .*the path of a Unix socket/],
    ['listener', /^2: listener: it takes a port/],
    ['port 0', '2: port 0: it takes 1 to 65535, not 0'],
    ['listener 1884\nmax_connections many', /^3: max_connections many: it takes a whole number, not 'many'/],
    ['listener 1884\nmax_connections 12abc', /^3: .*whole number/],
    ['max_packet_size 10', '2: max_packet_size 10: it takes 20 or more, not 10'],
    ['message_size_limit 268435456', /^2: .*it takes 0 to 268435455/],
    ['max_inflight_messages 70000', /^2: .*it takes 65535 or less/],
    ['max_keepalive 70000', /^2: .*it takes 0 to 65535/],
    ['sys_interval -1', /^2: .*it takes 0 to 65535/],
    ['listener 1884\nmax_qos 3', /^3: .*it takes 0 to 2/],
    ['persistent_client_expiration 2x', /^2: .*a duration such as 14d/],
    ['persistent_client_expiration 0d', /^2: .*a duration such as 14d/],
    ['listener 1884\nprotocol mqtts', "3: protocol mqtts: it takes mqtt, websockets, http_api, not 'mqtts'"],
    ['listener 1884\nsocket_domain ipv5', /^3: .*it takes ipv4, ipv6/],
    ['log_type error,warning', /^2: .*it takes none, information/],
    ['log_dest printer', /^2: .*it takes none, stdout/],
    ['log_dest file', '2: log_dest file: file takes a path'],
    ['log_dest file /a\nlog_dest file /b', /^3: .*names a file already/],
    ['log_facility 9', /^2: .*it takes 0 to 7/],
    ['persistence_location /a\npersistence_location /b', '3: persistence_location /b: 2 says it already'],
    ['bind_address 127.0.0.1 # here', /^2: .*an address is one word/],
    ['listener 8883\ncertfile c', /^3: certfile c: TLS needs keyfile too/],
    ['plugin_opt_x 1', /^2: plugin_opt_x …: it belongs to a plugin, and there is none above it/],
    ['address a.example', /^2: .*it belongs to a connection/],
    ['per_listener_settings true', /^2: .*has to stand before all that guards listeners, such as 1/],
  ])('%j is refused, as mosquitto refuses it', (text, why) => {
    const { refused } = imported(...open, ...text.split('\n'))
    expect(refused).toEqual([typeof why === 'string' ? why : expect.stringMatching(why)])
  })
})

describe('bounds that two options say', () => {
  test.each([
    ['max_packet_size 1000', 'message_size_limit 500000', 1_000],
    ['message_size_limit 500000', 'max_packet_size 1000', 1_000],
    ['message_size_limit 1000', 'max_packet_size 500000', 66_551],
  ])('%s, %s: the lower one, and the other is told', (one, other, value) => {
    const { values, yaml } = imported(...open, 'listener 1884', one, other)
    expect(values.limits).toMatchObject({ maxPacketBytes: value })
    expect(yaml).toMatch(/is lower, and limits\.maxPacketBytes is one bound for both/)
  })

  test('the same one twice: the last', () => {
    const { values } = imported(...open, 'listener 1884', 'max_packet_size 1000', 'max_packet_size 5000')
    expect(values.limits).toEqual({ maxPacketBytes: 5_000 })
  })

  test('connections: those of all listeners together, where each has a bound', () => {
    const two = (...lines: readonly string[]) =>
      imported(...open, 'listener 1884', 'max_connections 10', 'listener 1885', ...lines)
    expect(two('max_connections 5').values.limits).toEqual({ maxConnections: 15 })
    expect(two('max_connections 5', 'global_max_connections 7').values.limits).toEqual({ maxConnections: 7 })
    expect(two('max_connections -1').told).toEqual([expect.stringMatching(/one for all listeners/)])
  })

  test('what one listener forbids and another does not: the stricter, and all are told', () => {
    const { values, told } = imported(
      ...open,
      'listener 1884',
      'accept_protocol_versions 4 5',
      'listener 1885',
      'accept_protocol_versions 3, 4, 5',
    )
    expect([values.features, told.length]).toEqual([{ mqtt31: false }, 2])
  })
})
