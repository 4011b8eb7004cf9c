import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { TestTerminal } from '../test/test-terminal.js'
import { pubSettings } from './commands/pub.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-flags-'))
afterAll(() => rmSync(home, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(home, name)
  writeFileSync(path, text)
  return path
}

const pem = (what: string, text = what): string => `-----BEGIN ${what}-----\n${text}\n-----END ${what}-----\n`
const [one, two] = [pem('CERTIFICATE', 'one'), pem('TRUSTED CERTIFICATE', 'two')]
const ca = file('ca.pem', one)
const cert = file('cert.pem', two)
const key = file('key.pem', pem('PRIVATE KEY'))
const folder = join(home, 'authorities')
mkdirSync(folder)
for (const [name, text] of [
  ['a.pem', one],
  ['1a2b3c4d.0', one],
  ['b.crt', two],
  ['notes.txt', one],
  ['c.pem', 'none'],
]) {
  file(join('authorities', name!), text!)
}
mkdirSync(join(home, 'empty'))

function connectionOf(...args: readonly string[]): unknown {
  const settings = pubSettings(['-t', 'a', '-m', 'x', ...args], new TestTerminal())
  return typeof settings === 'symbol' ? undefined : settings.connection
}

describe('the way to the server', () => {
  test.each([
    [['-L', 'mqtts://ann:secret@host/t'], 'mqtts://host:8883'],
    [['-L', 'mqtts://host:8884/t', '-h', 'other'], 'mqtts://other:8884'],
    [['-p', '8883'], 'mqtts://localhost:8883'],
    [['-L', 'mqtt://host:8883/t'], 'mqtt://host:8883'],
    [['--cafile', ca], 'mqtts://localhost:8883'],
    [['--cafile', ca, '-p', '1883'], 'mqtts://localhost:1883'],
    [['--cafile', ca, '-L', 'mqtt://host/t'], 'mqtts://host:8883'],
    [['--ws'], 'ws://localhost:80/mqtt'],
    [['--ws', '-p', '8083', '-h', '::1'], 'ws://[::1]:8083/mqtt'],
    [['--ws', '--cafile', ca], 'wss://localhost:443/mqtt'],
    [['--ws', '-L', 'mqtts://host/t'], 'wss://host:443/mqtt'],
    [['-L', 'ws://host:8083'], 'ws://host:8083/mqtt'],
    [['-L', 'wss://host/where?so'], 'wss://host:443/where?so'],
    [['--unix', '/run/a b#.sock'], 'unix:///run/a%20b%23.sock'],
    [['-L', 'unix:///run/mqtt.sock'], 'unix:///run/mqtt.sock'],
  ])('%o', (args, server) => {
    expect(connectionOf(...args)).toMatchObject({ server })
  })
})

describe('certificates', () => {
  test.each([
    [['-L', 'mqtts://host/t'], undefined],
    [['--cafile', ca], { ca: [one] }],
    [['--capath', folder], { ca: [one, two] }],
    [['--cafile', ca, '--cert', cert, '--key', key], { ca: [one], cert: two, key: pem('PRIVATE KEY') }],
    [['--insecure'], { checkServername: false }],
    [['--tls-alpn', 'mqtt'], { alpn: 'mqtt' }],
    [['--tls-version', 'tlsv1.2'], { minVersion: 'TLSv1.2' }],
    [['--tls-version', 'tlsv1.3'], { minVersion: 'TLSv1.3' }],
  ])('%o', (args, tls) => {
    const { options } = connectionOf(...args) as { options: { tls?: unknown } }
    expect(options.tls).toEqual(tls)
  })
})

describe('one line and exit code 1', () => {
  test.each([
    [['--unix', '/x', '-h', 'host'], 'a Unix domain socket has no host, port, WebSocket or TLS; leave out those flags'],
    [['--unix', '/x', '--insecure'], 'a Unix domain socket has no host, port, WebSocket or TLS'],
    [['-L', 'unix:///x', '--ws'], 'a Unix domain socket has no host, port, WebSocket or TLS'],
    [['--cert', cert], '--cert needs the key of that certificate; add --key'],
    [['--key', key], '--key needs its certificate; add --cert'],
    [['--cafile', '/none'], 'cannot read /none: no such file or folder; name another with --cafile'],
    [['--capath', '/none'], 'cannot read /none: no such file or folder; name another with --capath'],
    [['--cafile', key], `--cafile: ${key} has no certificate in PEM form; name another file`],
    [['--cert', cert, '--key', cert], `--key: ${cert} has no key in PEM form; name another file`],
    [
      ['--cert', cert, '--key', file('locked.pem', pem('ENCRYPTED PRIVATE KEY'))],
      `--key: ${home}/locked.pem is encrypted; make one that is not: openssl pkey`,
    ],
    [['--capath', join(home, 'empty')], `--capath: ${home}/empty has no certificates in PEM form`],
    [['--tls-version', 'tlsv1.1'], "--tls-version is 'tlsv1.1'; it takes tlsv1.2, tlsv1.3; see godwit pub --help"],
    [['--psk', 'abcd'], "there is no option '--psk'"],
    // Certificates of these files are none, which shows when they are read.
    [['--cafile', ca, '--cert', cert, '--key', key], /'tls' is of no use: .*; change that option\n$/],
  ])('%o', async (args, problem) => {
    const terminal = new TestTerminal()
    expect(await terminal.run('pub', '-t', 'a', '-m', 'x', ...args)).toBe(1)
    expect(terminal.errors).toMatch(problem)
    expect(terminal.errors.indexOf('\n')).toBe(terminal.errors.length - 1)
  })
})
