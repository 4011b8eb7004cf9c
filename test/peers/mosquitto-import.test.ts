// Whether the import refuses what mosquitto refuses, and opens the ports that mosquitto opens: each case is given to both.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { importMosquitto } from '../../packages/cli/src/config-import/mosquitto-import.js'
import { freePort } from '../../scripts/background.mjs'
import { mosquittoProgram, startMosquitto } from './mosquitto-at-work.js'
import { needs } from './needs.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-import-'))
afterAll(() => rmSync(home, { recursive: true }))

let files = 0

function imported(...lines: readonly string[]) {
  const file = join(home, `${++files}.conf`)
  writeFileSync(file, `${lines.join('\n')}\n`)
  const { yaml, refused } = importMosquitto(file)
  return { isRefused: refused.length > 0, values: parse(yaml) as { listeners: { port: number; host: string }[] } }
}

const listener = 'listener PORT 127.0.0.1'

describe('what mosquitto does not start with', { concurrent: true }, () => {
  test.for([
    ...['allow_anonymous true', 'allow_anonymous true # c', 'allow_anonymous 1', 'allow_anonymous false '],
    ...['allow_anonymous TRUE', 'allow_anonymous yes', 'allow_anonymous', 'allow_anonymous true#x'],
    ...['allow_anonymous\ttrue', 'allow_anonymous true\t# c', 'max_connections -1 # c', 'max_connections 5 7'],
    ...['max_keepalive 70000', 'max_keepalive 60 # c', 'max_packet_size 10', 'max_packet_size 20 # c'],
    ...[
      'message_size_limit -5',
      'message_size_limit 268435456',
      'max_inflight_messages 70000',
      'max_inflight_messages -3',
    ],
    ...['sys_interval 70000', 'sys_interval -1', 'max_qos 3', 'maximum_qos 1 # c', 'max_topic_alias 70000'],
    ...['persistent_client_expiration 2d # c', 'persistent_client_expiration 2x', 'persistent_client_expiration d'],
    ...['protocol mqtt # c', 'protocol foo', 'socket_domain ipv4 # c', 'socket_domain ipv5', 'log_type all # c'],
    ...['log_type error,warning', 'log_type all warning', 'log_dest stderr # c', 'log_dest foo', 'log_dest file'],
    ...['log_facility 9', 'log_timestamp yes', 'listener', 'listener 0', 'listener 0 # c', 'listener 70000', 'port 0'],
    ...['clientid_prefixes   ab cd  # x', 'auto_id_prefix  a-', 'websockets_headers_size 70000', 'acl_file', 'user'],
    ...['retry_interval x', 'check_retain_source maybe', 'set_tcp_nodelay on', 'connection_messages yes', 'topic a'],
    ...['address foo', 'plugin_opt_abc 1', 'auth_opt_abc 1', 'include_dir', 'persistence_location', 'tls_engine'],
    ...['autosave_interval -1', 'memory_limit 100000000 # c', 'queue_qos0_messages', 'log_timestamp_format'],
    ...['persistence_location /a\npersistence_location /b', 'per_listener_settings true\nper_listener_settings false'],
    ...['allow_anonymous true\nper_listener_settings true', 'bind_address 127.0.0.1 # c', 'dhparamfile x'],
  ])('%j', async (line, context) => {
    needs(context, mosquittoProgram)
    const started = await startMosquitto([listener, ...line.split('\n')])
    if ('running' in started) await started.running.stop()
    const port = await freePort()
    expect(imported(`listener ${port} 127.0.0.1`, ...line.split('\n')).isRefused).toBe('said' in started)
  })
})

describe('the ports that are open', { concurrent: true }, () => {
  const plain = [
    'allow_anonymous true',
    'password_file FOLDER/p',
    'tls_version tlsv1.2',
    'max_topic_alias 5',
    'http_dir /tmp',
  ]
  test.for([
    ...plain.map((option) => [option, listener]),
    ...['max_connections -1', 'protocol mqtt', 'max_qos 2', 'require_certificate false'].map((option) => [
      option,
      listener,
    ]),
    ['per_listener_settings true', 'allow_anonymous true', listener],
    ['per_listener_settings true', listener, 'allow_anonymous true', 'max_connections 3'],
    [listener, 'port OTHER', 'max_connections 3'],
    [listener, 'bind_address 127.0.0.1', 'port OTHER'],
    ['port OTHER', listener],
    ['port OTHER'],
    ['max_connections 5', 'port OTHER', listener],
  ])('%j', async (lines, context) => {
    needs(context, mosquittoProgram)
    const other = String(await freePort())
    const written = lines.map((line) => line.replace('OTHER', other))
    const started = await startMosquitto(written, { p: '' })
    if ('said' in started) throw new Error(started.said)
    const { port, pid, stop } = started.running
    const theirs = portsOf(pid)
    await stop()
    const { values } = imported(...written.map((line) => line.replace('PORT', String(port))))
    expect(values.listeners.map((one) => one.port).sort()).toEqual(theirs)
  })
})

/** The ports a process listens on. */
function portsOf(pid: number): readonly number[] {
  const lines = execFileSync('ss', ['-ltnpH'], { encoding: 'utf8' }).split('\n')
  const ports = lines.filter((line) => line.includes(`pid=${pid},`)).map((line) => /:(\d+)\s/.exec(line)?.[1])
  return [...new Set(ports.map(Number))].sort()
}
