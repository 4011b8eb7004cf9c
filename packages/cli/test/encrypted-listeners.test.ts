// pub and sub, bench and conform at the doors of a broker in this process: TLS, WebSocket, Unix domain socket.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@godwit/broker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { selfSigned } from './self-signed.js'
import { TestTerminal } from './test-terminal.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-tls-'))
const certificate = join(home, 'server.pem')
const socket = join(home, 'mqtt.sock')
const ports = { mqtt: 0, mqtts: 0, ws: 0, wss: 0 }
let broker: Broker

beforeAll(async () => {
  const tls = await selfSigned()
  writeFileSync(certificate, tls.cert)
  broker = await createBroker({ sysIntervalSeconds: 0 })
  const websocket = {}
  await broker.listen({ path: socket })
  ports.mqtt = (await broker.listen({ port: 0 })).port
  ports.mqtts = (await broker.listen({ port: 0, tls })).port
  ports.ws = (await broker.listen({ port: 0, websocket })).port
  ports.wss = (await broker.listen({ port: 0, websocket, tls })).port
})
afterAll(async () => {
  await broker.close()
  rmSync(home, { recursive: true })
})

const trusting = ['--cafile', certificate]

describe('a message goes in and comes out', () => {
  test.each<[string, () => string[]]>([
    ['--unix', () => ['--unix', socket]],
    ['-L unix://', () => ['-L', `unix://${socket}`]],
    ['--cafile', () => ['-p', `${ports.mqtts}`, ...trusting]],
    ['-L mqtts://', () => ['-L', `mqtts://localhost:${ports.mqtts}`, ...trusting]],
    [
      '--insecure, where only the name is wrong',
      () => ['-h', '127.0.0.1', '-p', `${ports.mqtts}`, ...trusting, '--insecure'],
    ],
    ['--ws', () => ['--ws', '-p', `${ports.ws}`]],
    ['-L wss://', () => ['-L', `wss://localhost:${ports.wss}/mqtt`, ...trusting]],
    ['--ws over TLS', () => ['--ws', '-p', `${ports.wss}`, ...trusting]],
  ])('%s', async (_, where) => {
    const sub = new TestTerminal()
    const ended = sub.run('sub', '-d', '-t', 'a', '-C', '1', ...where())
    await sub.printed(/subscribed to/)
    const pub = new TestTerminal()
    expect([await pub.run('pub', '-t', 'a', '-m', 'x', '-q', '1', ...where()), pub.errors]).toEqual([0, ''])
    expect([await ended, sub.output]).toEqual([0, 'x\n'])
  })
})

describe.each<[string, () => string[]]>([
  ['a Unix domain socket', () => ['--unix', socket]],
  ['TLS', () => [`mqtts://localhost:${ports.mqtts}`, ...trusting]],
  ['TLS, to an address', () => [`mqtts://127.0.0.1:${ports.mqtts}`, ...trusting, '--insecure']],
  ['WebSocket', () => [`ws://localhost:${ports.ws}`]],
  ['secure WebSocket', () => ['-L', `wss://localhost:${ports.wss}`, ...trusting]],
])('over %s', (_, way) => {
  test('bench counts every message', async () => {
    const terminal = new TestTerminal()
    const code = await terminal.run(
      'bench',
      'pipe',
      ...way(),
      '--qos',
      '1',
      '--count',
      '300',
      '--workers',
      '1',
      '--json',
    )
    expect([terminal.errors, code]).toEqual(['', 0])
    expect(JSON.parse(terminal.output).messages).toMatchObject({ sent: 300, received: 300, missing: 0 })
  })

  test('conform plays its checks', async () => {
    const terminal = new TestTerminal()
    const code = await terminal.run('conform', ...way(), '--only', '3.12', '--json')
    expect([terminal.errors, code]).toEqual(['', 0])
    expect(JSON.parse(terminal.output).totals).toMatchObject({ pass: 2, fail: 0 })
  })
})

describe('what goes wrong is one line that says what to do, and exit code 1', () => {
  test.each<[string, () => string[], RegExp]>([
    [
      'a server of nobody we trust',
      () => ['-L', `mqtts://localhost:${ports.mqtts}`],
      /certificate is not trusted \(self-signed certificate\); give that of the authority which signed it with --cafile/,
    ],
    [
      'the same over a WebSocket; --insecure is no way around',
      () => ['-L', `wss://localhost:${ports.wss}`, '--insecure'],
      /certificate is not trusted \(self-signed certificate\); .* --cafile/,
    ],
    [
      'another name',
      () => ['-h', '127.0.0.1', '-p', `${ports.mqtts}`, ...trusting],
      /is for another name \(.*127\.0\.0\.1.*\); use a --host that it has; --insecure goes without this check/,
    ],
    [
      'no TLS there',
      () => ['-L', `mqtts://localhost:${ports.mqtt}`, ...trusting],
      /:\d+: the server .*not speak TLS at this port; check --host and --port/,
    ],
    [
      'no MQTT at that path',
      () => ['-L', `ws://localhost:${ports.ws}/other`],
      /\/other: Unexpected server response: 404; check/,
    ],
    ['no socket there', () => ['--unix', '/none'], /unix:\/\/\/none: no such file or folder; check the path, and that/],
  ])('%s', async (_, where, problem) => {
    const terminal = new TestTerminal()
    const code = await terminal.run('pub', '-t', 'a', '-m', 'x', ...where())
    expect(terminal.errors).toMatch(problem)
    expect(terminal.errors.indexOf('\n')).toBe(terminal.errors.length - 1)
    expect(code).toBe(1)
  })
})
