// What people do wrong, and what they are told: each as it is typed, in one line that says what, where and what to do.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { selfSigned } from './self-signed.js'
import { TestTerminal } from './test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-mistakes-'))
const at = (name: string): string => join(home, name)
const bin = fileURLToPath(new URL('../bin/godwit.js', import.meta.url))

let port = ''
let tlsPort = ''
let stop: () => Promise<number>
let logged: (form: RegExp) => Promise<unknown>
let silent: Server
beforeAll(async () => {
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text, { mode: 0o600 })
  mkdirSync(at('folder'))
  const { cert, key } = await selfSigned()
  const other = await selfSigned()
  writeFileSync(at('cert.pem'), cert)
  writeFileSync(at('key.pem'), key, { mode: 0o600 })
  writeFileSync(at('other.pem'), other.key, { mode: 0o600 })
  silent = createServer(() => {}).listen(0, '127.0.0.1')
  const broker = new TestTerminal()
  const ended = broker.run('broker', '--config', at('broker.yaml'))
  const [, tls = '', plain = ''] = await broker.printed(/listening on mqtts 127\.0\.0\.1:(\d+), 127\.0\.0\.1:(\d+)/)
  port = plain
  tlsPort = tls
  logged = (form) => broker.printed(form)
  stop = () => {
    broker.interrupt()
    return ended
  }
}, 60_000)
afterAll(async () => {
  await stop()
  silent.close()
  rmSync(home, { recursive: true })
})

const files = {
  'broken.yaml': 'listeners: [a: b\n',
  'tab.yaml': 'log:\n\tlevel: info\n',
  'key.yaml': 'dat: x\n',
  'two.yaml': 'log: { level: loud }\nallowAnonymous: yes\n',
  'no-passwords.yaml': 'auth:\n  passwordFile: none\n',
  'unreadable.yaml': 'auth:\n  passwordFile: folder/../locked\n',
  locked: 'ann:$7$x\n',
  'plain-text.yaml': 'auth: { passwordFile: plain }\n',
  plain: 'ann:sesame\n',
  'no-key.yaml': 'listeners: [{ protocol: mqtts, tls: { cert: cert.pem, key: none.pem } }]\n',
  'other-key.yaml': 'listeners: [{ protocol: mqtts, tls: { cert: cert.pem, key: other.pem } }]\n',
  'rules.yaml': 'rules: [{ allow: [publish, subscribe], filter: "ok/#" }]\n',
  'broker.yaml': `listeners:
  - { protocol: mqtts, port: 0, tls: { cert: cert.pem, key: key.pem } }
  - { port: 0 }
data: memory
acl: { file: rules.yaml }
`,
} as const

/** `PORT`, `SECURE` and `HOME` in a command and in what it prints stand for those of this run. */
function filled(text: string): string {
  return text.replaceAll('PORT', port).replaceAll('SECURE', tlsPort).replaceAll('HOME', home)
}

const mistakes: readonly (readonly [mistake: string, command: string, told: string, exitCode?: number])[] = [
  ['bad YAML', 'config check HOME/broken.yaml', 'config: HOME/broken.yaml:2:1: [ is not closed; end it with ]'],
  ['a tab in YAML', 'config check HOME/tab.yaml', 'config: HOME/tab.yaml:2:1: a tab; indent with spaces'],
  [
    'an unknown key',
    'config check HOME/key.yaml',
    "config: HOME/key.yaml:1:1: there is no key 'dat'; did you mean 'data'?",
  ],
  [
    'two mistakes in one file',
    'config check HOME/two.yaml',
    `config: HOME/two.yaml:1:8: log.level: it takes debug, info, warn, error, not 'loud'
godwit config: HOME/two.yaml:2:1: allowAnonymous: it takes true or false, not 'yes'`,
  ],
  [
    'a configuration that is not there',
    'broker --config HOME/none.yaml',
    'broker: cannot read the configuration HOME/none.yaml: no such file or folder; name a YAML or JSON file',
  ],
  [
    'a folder for a configuration',
    'broker --config HOME/folder',
    'broker: cannot read the configuration HOME/folder: it is a folder; name a YAML or JSON file',
  ],
  [
    'a port in use',
    'broker --data memory -p PORT',
    'broker: cannot listen on 127.0.0.1:PORT: the port is in use by another program; end that program or choose another port',
  ],
  [
    'a data folder that is a file',
    'broker -p 0 --data HOME/plain',
    'broker: cannot use the data folder HOME/plain: there is a file of that name; choose another with --data FOLDER, or --data memory',
  ],
  [
    'a password file that is not there',
    'broker --data memory --config HOME/no-passwords.yaml',
    'broker: HOME/no-passwords.yaml:2:3: auth.passwordFile: cannot read HOME/none: no such file or directory; make it: godwit passwd -c HOME/none NAME',
  ],
  [
    'passwords in plain text',
    'config check HOME/plain-text.yaml',
    'config: HOME/plain:1: the password is not hashed; make the line again with godwit passwd',
  ],
  [
    'a TLS key that is not there',
    'config check HOME/no-key.yaml',
    'config: HOME/no-key.yaml:1:13: cannot read tls.key HOME/none.pem: no such file or directory; name a file that is there; a relative path is relative to the folder of the configuration',
  ],
  [
    'the key of another certificate',
    'config check HOME/other-key.yaml',
    'config: HOME/other-key.yaml:1:13: tls.key (HOME/other.pem) is not the key of the certificate in tls.cert (HOME/cert.pem); name the key that was made for it, or make both anew',
  ],
  [
    'a mistyped option',
    'broker --prot 1884',
    "broker: there is no option '--prot'; did you mean --port? See godwit broker --help",
  ],
  ['a mistyped command', 'subb -t a', ": there is no command 'subb'; did you mean godwit sub? See godwit --help"],
  [
    'another name of a command',
    'publish -t a',
    ": there is no command 'publish'; did you mean godwit pub? See godwit --help",
  ],
  [
    'a command of other programs',
    'start',
    ": there is no command 'start'; did you mean godwit broker? See godwit --help",
  ],
  [
    'a mistyped action',
    'config chek',
    "config: config takes check, print, schema or import, not 'chek'; did you mean check? See godwit config --help",
  ],
  [
    'open to all machines without authentication',
    'broker --data memory --host 0.0.0.0',
    'broker: 0.0.0.0 can be reached by other machines and nobody is asked for a password; configure auth, or add --allow-anonymous to let anyone in',
  ],
  [
    'no broker is running',
    'pub -p 1 -t a -m b',
    'pub: mqtt://localhost:1: nothing listens there; check --host and --port, and that the server runs',
  ],
  [
    'an unknown host',
    'pub -h no-such-host.invalid -t a -m b',
    'pub: mqtt://no-such-host.invalid:1883: no host of that name; check --host and --port, and that the server runs',
  ],
  [
    'a wrong filter',
    'sub -t a/#/b',
    "sub: --topic is 'a/#/b'; it takes a topic filter: + stands for a whole level, # for all that follow, at the end; see godwit sub --help",
  ],
  [
    'a wildcard to publish to',
    'pub -t a/+ -m b',
    "pub: --topic is 'a/+'; it takes a topic name: not empty, and without the wildcards + and #; see godwit pub --help",
  ],
  ['a bad QoS', 'pub -t a -m b -q 3', "pub: --qos is '3'; it takes 0, 1 or 2; see godwit pub --help"],
  [
    'a bad port',
    'sub -t a -p 99999',
    "sub: --port is '99999'; it takes a whole number from 1 to 65535; see godwit sub --help",
  ],
  ['no topic', 'sub', 'sub: there is nothing to subscribe to; add --topic'],
  [
    'a message of two words without quotes',
    'pub -t a -m two words',
    "pub: 'words' belongs to no option, and names no server (@NAME or a URL); quote values with spaces; see godwit pub --help",
  ],
  [
    'a file that is not there',
    'pub -t a -f HOME/none',
    'pub: cannot read HOME/none: no such file or folder; name another --file',
  ],
  [
    'a plain client at a TLS port',
    'pub -p SECURE -t a -m b',
    "pub: mqtt://localhost:SECURE: the server closed the connection before CONNACK; it may want TLS at this port (mqtts://, or --cafile); the server's log should say why",
    7,
  ],
  [
    'a TLS client at a plain port',
    'pub -L mqtts://localhost:PORT -t a -m b',
    'pub: mqtts://localhost:PORT: the server closed the connection in the TLS handshake; it may not speak TLS at this port; check --host and --port, and that the server runs',
  ],
  [
    'an untrusted certificate',
    'pub -L mqtts://localhost:SECURE -t a -m b',
    "pub: mqtts://localhost:SECURE: the server's certificate is not trusted (self-signed certificate); give that of the authority which signed it with --cafile",
  ],
  [
    'a topic that is denied',
    'pub -p PORT -t secret -m b -q 1',
    "pub: publish to 'secret': the server refused it: Not authorized (not authorized to publish to this topic); ask whoever runs the server",
  ],
  [
    'a filter that is denied',
    'sub -p PORT -t secret',
    "sub: the server refused the subscription to 'secret' (Not authorized); ask whoever runs the server",
  ],
  [
    'MQTT 3.1',
    'pub -p PORT -t ok/a -m b -V 31',
    'pub: mqtt://localhost:PORT: the server refused the connection: Unsupported Protocol Version; try -V 311; a godwit broker serves MQTT 3.1 with --mqtt31',
  ],
  [
    'a server that is not saved',
    'sub @plant -t a',
    "sub: no server is saved as 'plant'; save one: godwit server add plant mqtts://HOST",
  ],
  [
    'no running broker to look at',
    'top --data HOME/folder',
    'top: no broker answers at HOME/folder/control.sock; start one, or name its data folder with --data or its control socket with --control',
  ],
  [
    'no running broker to reload',
    'reload --data HOME/folder',
    'reload: no broker answers at HOME/folder/control.sock; start one, or name its data folder with --data or its control socket with --control',
  ],
]

describe('in one line', () => {
  for (const [mistake, command, told, exitCode = 1] of mistakes) {
    test(mistake, async () => {
      const terminal = new TestTerminal()
      const code = await terminal.run(...filled(command).split(' '))
      // HOST of a remedy is for the reader to fill in.
      expect(terminal.errors).toBe(`godwit${told.startsWith(':') ? '' : ' '}${filled(told)}\n`)
      expect(terminal.output).toBe('')
      expect(code).toBe(exitCode)
    })
  }
})

test('a typing mistake in the environment', () => {
  const { stderr, status } = spawnSync(process.execPath, [bin, 'broker', '--data', 'memory'], {
    encoding: 'utf8',
    env: { ...process.env, GODWIT_LIMITS__MAX_INFLIHGT: '1' },
  })
  expect(stderr).toBe(
    "godwit broker: GODWIT_LIMITS__MAX_INFLIHGT: there is no key 'limits.maxInflihgt'; did you mean 'maxInflight'?\n",
  )
  expect(status).toBe(1)
})

test('a denied publish at QoS 0: -d says that nobody tells', async () => {
  const terminal = new TestTerminal()
  expect(await terminal.run('pub', '-p', port, '-t', 'secret', '-m', 'b', '-d')).toBe(0)
  expect(terminal.errors).toMatch(
    /sent 1 byte to 'secret' \(QoS 0: no server says whether it took it, or denied it; -q 1 asks for that\)\n$/,
  )
})

test('nothing answers: it is said after two seconds', async () => {
  const { port: deaf } = silent.address() as { port: number }
  const terminal = new TestTerminal()
  const ended = terminal.run('sub', '-h', '127.0.0.1', '-p', String(deaf), '-t', 'a')
  await terminal.printed(/^godwit sub: mqtt:\/\/127\.0\.0\.1:\d+ has not answered yet; waiting\n/)
  terminal.interrupt()
  expect(await ended).toBe(0)
})

test('a browser at the port of MQTT is closed without a byte, as all that is no MQTT; the log tells what it met', async () => {
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  await logged(/"reason":"it speaks HTTP; this port speaks MQTT only: WebSockets need a listener of their own \(ws\)"/)
})

test('MQTT 3.1: the log names the option', async () => {
  await new TestTerminal().run('pub', '-p', port, '-t', 'ok/a', '-m', 'b', '-V', '31')
  await logged(/"why":"MQTT 3\.1 is not served here; the option mqtt31 \(godwit broker --mqtt31\) turns it on"/)
})

test('an old Node is named, before anything is loaded', () => {
  const old = `Object.defineProperty(process.versions, 'node', { value: '18.20.0' }); require(${JSON.stringify(bin)})`
  const { stderr, status } = spawnSync(process.execPath, ['-e', old], { encoding: 'utf8' })
  expect(stderr).toBe(
    'godwit: this is Node 18.20.0, and godwit needs 20.19 or newer; install it from https://nodejs.org\n',
  )
  expect(status).toBe(1)
})

// As root every file can be read: there it is asked as nobody, who may not run a Node of root's home.
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
const mayRun = process.platform !== 'win32' && spawnSync(process.execPath, ['--version'], nobody).status === 0
describe.skipIf(!mayRun)('what somebody may not read', () => {
  test('a password file', () => {
    chmodSync(home, 0o755)
    chmodSync(at('unreadable.yaml'), 0o644)
    chmodSync(at('locked'), 0o000)
    symlinkSync(at('locked'), at('link'))
    const { stderr, status } = spawnSync(process.execPath, [bin, 'config', 'check', at('unreadable.yaml')], {
      encoding: 'utf8',
      ...nobody,
    })
    expect(stderr).toBe(
      filled(
        'godwit config: HOME/unreadable.yaml:2:3: auth.passwordFile: cannot read HOME/locked: permission denied; let the user who runs the broker read it: chown or chmod HOME/locked, and the folders above it\n',
      ),
    )
    expect(status).toBe(1)
  })

  test('a port below 1024, a folder', () => {
    const { stderr } = spawnSync(process.execPath, [bin, 'broker', '-p', '0', '--data', '/proc/x/data'], {
      encoding: 'utf8',
      ...nobody,
    })
    expect(stderr).toMatch(
      /^godwit broker: cannot use the data folder \/proc\/x\/data: .*; choose another with --data FOLDER, or --data memory\n$/,
    )
  })
})
