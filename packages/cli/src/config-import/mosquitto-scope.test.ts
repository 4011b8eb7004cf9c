import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importStage, open } from '../../test/import-stage.js'

const { home, imported, folderOf } = importStage()

describe('include_dir', () => {
  test('its files stand in its place, in the order of the manual', () => {
    const names = ['b', 'A', '01', 'a', 'B', '00']
    const folder = folderOf('order.d', {
      ...Object.fromEntries(names.map((name) => [`${name}.conf`, `sys_interval 1\n`])),
      'ignored.txt': 'nonsense\n',
      '.conf': 'nonsense\n',
    })
    const { yaml } = imported(...open, `include_dir ${folder}`)
    const order = [...yaml.matchAll(/order\.d\/(\w+)\.conf:1/g)].map(([, name]) => name!)
    expect(new Set(order)).toEqual(new Set(names))
    expect(yaml).toContain(`/B.conf:1: sys_interval 1: ${folder}/b.conf:1 says otherwise`)
    expect(yaml).toContain(`/A.conf:1: sys_interval 1: ${folder}/a.conf:1 says otherwise`)
    expect(yaml).toContain(`/a.conf:1: sys_interval 1: ${folder}/B.conf:1 says otherwise`)
  })

  test('each file begins at the default listener, and the main file goes on with its own', () => {
    const folder = folderOf('scope.d', {
      'a.conf': 'listener 18840 127.0.0.1\npassword_file /p\n',
      'b.conf': 'listener 18841 127.0.0.1\n',
      'c.conf': 'max_connections 7\nallow_anonymous true\n',
    })
    const { values } = imported(
      'per_listener_settings true',
      'listener 18839 127.0.0.1',
      `include_dir ${folder}`,
      'acl_file /a',
    )
    expect(values.listeners).toMatchObject([
      { port: 1883, allowAnonymous: true }, // max_connections opens it, in c.conf
      { port: 18839, acl: { file: '/a' } },
      { port: 18840, auth: { passwordFile: '/p' } },
      { port: 18841 },
    ])
    expect((values.listeners as object[])[3]).not.toHaveProperty('allowAnonymous')
  })

  test('one that is missing does not stop the rest, and is told', () => {
    const { told, values } = imported(...open, 'listener 1884', `include_dir ${join(home, 'nowhere')}`)
    expect(told).toEqual([expect.stringMatching(/^3: include_dir .*nowhere: cannot read the folder: no such file/)])
    expect(values.listeners).toMatchObject([{ port: 1884 }])
  })

  test('in a file that is included, or without a folder, it is refused', () => {
    const folder = folderOf('nested.d', { 'a.conf': 'include_dir /etc\n' })
    expect(imported(...open, `include_dir ${folder}`).refused).toEqual([expect.stringMatching(/main file alone/)])
    expect(imported(...open, 'include_dir').refused).toEqual(['2: include_dir: it names no folder'])
  })
})

describe('no listener that mosquitto 2.0 does not open', () => {
  const ports = (...lines: readonly string[]) =>
    (imported(...lines).values.listeners as { port: number; host: string }[]).map(({ host, port }) => `${host}:${port}`)

  // Seen by running 2.0.11 with the option above `listener 21101 127.0.0.1`.
  test.each([
    ...['bind_interface lo', 'cafile c', 'capath c', 'ciphers X', 'ciphers_tls1.3 X', 'crlfile c', 'dhparamfile d'],
    ...['max_connections 5', 'max_qos 1', 'maximum_qos 1', 'require_certificate true', 'socket_domain ipv4'],
    ...['tls_engine x', 'use_identity_as_username true', 'use_subject_as_username true', 'protocol websockets'],
    ...['use_username_as_clientid true', 'port 1883', 'bind_address 10.0.0.1'],
  ])('%s opens the default one', (option) => {
    expect(ports(option, 'listener 21101 127.0.0.1')).toEqual([expect.stringMatching(/:1883$/), '127.0.0.1:21101'])
  })

  test.each([
    ...['acl_file a', 'allow_anonymous true', 'allow_zero_length_clientid false', 'auto_id_prefix x-', 'http_dir /tmp'],
    ...['max_connections -1', 'max_qos 2', 'max_topic_alias 5', 'password_file p', 'protocol mqtt', 'psk_file p'],
    ...['require_certificate false', 'tls_keyform pem', 'tls_version tlsv1.2', 'use_username_as_clientid false'],
  ])('%s does not', (option) => {
    expect(ports(option, 'listener 21101 127.0.0.1')).toEqual(['127.0.0.1:21101'])
  })

  test('what guards listeners, above the first: of the default listener, which some of it opens', () => {
    const guarded = (line: string) => imported('per_listener_settings true', line, 'listener 21101 127.0.0.1')
    for (const line of ['password_file p', 'allow_zero_length_clientid false', 'plugin /p.so']) {
      expect(guarded(line).values.listeners).toHaveLength(2)
    }
    for (const line of ['acl_file a', 'allow_anonymous true', 'auto_id_prefix x-']) {
      const { values, told } = guarded(line)
      expect(values.listeners).toMatchObject([{ port: 21_101 }])
      expect(told[0]).toMatch(/^2: .*the default listener is not opened for it in 2\.0; 2\.1 does not start/)
    }
  })

  test('an option that opens it on every address is told; alone in the file it opens this machine only', () => {
    expect(imported('max_connections 5', 'listener 21101').remarks).toEqual([
      expect.stringMatching(/^1: max_connections 5: .*mosquitto 2\.0 opens port 1883 on every address too/),
    ])
    const alone = imported('max_connections 5')
    expect(alone.values.listeners).toMatchObject([{ host: '127.0.0.1', port: 1883 }])
    expect(alone.remarks).toEqual([expect.stringMatching(/on every address for it, and asks nobody/)])
  })

  test('`port` behind `listener`: what follows belongs to the listener, and 2.1 is told to differ', () => {
    const { values, remarks } = imported(
      'per_listener_settings true',
      'listener 21101 127.0.0.1',
      'port 21102',
      'password_file /p',
    )
    expect(values.listeners).toMatchObject([{ port: 21_102 }, { port: 21_101, auth: { passwordFile: '/p' } }])
    expect(remarks).toEqual([
      '4: password_file /p: it belongs to the listener of 2, as in mosquitto 2.0; to 2.1 it belongs to the default listener, since 3',
    ])
  })

  test('one with pre-shared keys, or an HTTP API, is left out; with no other there is none, and the broker does not start', () => {
    const { values, told } = imported(...open, 'listener 8883', 'psk_hint x')
    expect(values.listeners).toEqual([])
    expect(told[0]).toMatch(/^3: psk_hint x: .*this listener is left out/)
    expect(imported(...open, 'listener 1884', 'listener 8080', 'protocol http_api').values.listeners).toHaveLength(1)
  })
})
