import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'
import { isMosquittoConf } from './mosquitto-file.js'

const folder = mkdtempSync(join(tmpdir(), 'godwit-mosquitto-'))
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  ['one line', 'listener 1883\n'],
  [
    "Debian's",
    'pid_file /run/mosquitto/mosquitto.pid\n\npersistence true\nlog_dest file /var/log/m.log\ninclude_dir /etc\n',
  ],
  [
    'with what is no YAML',
    '# home\nlistener 1883\nlog_timestamp_format %Y-%m-%dT%H:%M:%S\nallow_anonymous: true\nport 1\n',
  ],
])('a mosquitto.conf given to --config is recognised, and the import is named: %s', async (_, text) => {
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(file, text)
  for (const command of [['broker'], ['config', 'check']]) {
    const terminal = new TestTerminal()
    expect(await terminal.run(...command, '--config', file)).toBe(1)
    expect(terminal.errors).toBe(
      `godwit ${command[0]}: ${file} is a configuration of mosquitto; translate it first: godwit config import ${file} -o godwit.yaml\n`,
    )
  }
})

test('so is the file of dynamic security', async () => {
  const file = join(folder, 'dynamic-security.json')
  writeFileSync(file, '{ "clients": [], "roles": [], "groups": [] }')
  const terminal = new TestTerminal()
  expect(await terminal.run('config', 'check', file)).toBe(1)
  expect(terminal.errors).toMatch(/is a file of mosquitto's dynamic security; translate it first: godwit config import/)
})

test('our own are none', () => {
  const sample = fileURLToPath(new URL('../../../../packaging/godwit.yaml', import.meta.url))
  expect(isMosquittoConf(readFileSync(sample, 'utf8'))).toBe(false)
  expect(isMosquittoConf('listeners:\n  - port: 1883\nallow_anonymous true\n')).toBe(false)
  expect(isMosquittoConf('')).toBe(false)
})
