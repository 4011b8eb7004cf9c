import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import { connect, createServer, type Socket, type Server as TcpServer } from 'node:net'
import { type Broker, createBroker } from '@godwit/broker'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { TestTerminal } from './test-terminal.js'

let broker: Broker
let port: number
let http: Server
let socks: TcpServer
let asked: string[] = []
beforeAll(async () => {
  broker = await createBroker({})
  port = (await broker.listen({ port: 0 })).port
  http = createHttpServer((_, response) => response.end('a page')).listen(0, '127.0.0.1')
  http.on('connect', ({ url = '', headers }, socket) => {
    asked.push(`${url} ${headers['proxy-authorization'] ?? ''}`.trim())
    if (url.startsWith('denied')) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    join(socket as Socket, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
  })
  socks = createServer(speakSocks).listen(0, '127.0.0.1')
  await Promise.all([http, socks].map((server) => server.listening || once(server, 'listening')))
})
afterAll(async () => {
  http.close()
  socks.close()
  await broker.close()
})
beforeEach(() => {
  asked = []
})

/** Whatever name is asked for leads to the broker. */
function join(socket: Socket, onConnect: () => void): void {
  const there = connect(port, '127.0.0.1', () => {
    onConnect()
    socket.pipe(there).pipe(socket)
  })
  there.on('error', () => socket.destroy())
  socket.on('error', () => there.destroy())
}

/** SOCKS 5 without authentication (RFC 1928), for names. */
function speakSocks(socket: Socket): void {
  socket.once('data', () => {
    socket.write(Buffer.of(5, 0))
    socket.once('data', (request: Buffer) => {
      const name = request.subarray(5, 5 + request[4]!).toString()
      asked.push(`${name}:${request.readUInt16BE(5 + request[4]!)}`)
      join(socket, () => socket.write(Buffer.of(5, 0, 0, 1, 127, 0, 0, 1, 0, 0)))
    })
  })
}

function portOf(server: TcpServer | Server): number {
  return (server.address() as { port: number }).port
}

async function published(...args: readonly string[]): Promise<{ code: number; errors: string }> {
  const terminal = new TestTerminal()
  const code = await terminal.run('pub', '-h', 'broker.inside', '-p', '1883', '-t', 'a', '-m', 'b', '-q', '1', ...args)
  return { code, errors: terminal.errors }
}

describe('--proxy', () => {
  test('SOCKS 5: the proxy looks the name up', async () => {
    expect(await published('--proxy', `socks5h://127.0.0.1:${portOf(socks)}`)).toEqual({ code: 0, errors: '' })
    expect(asked).toEqual(['broker.inside:1883'])
  })

  test('HTTP, with CONNECT', async () => {
    expect(await published('--proxy', `http://ann:s%40x@127.0.0.1:${portOf(http)}`)).toEqual({ code: 0, errors: '' })
    expect(asked).toEqual([`broker.inside:1883 Basic ${Buffer.from('ann:s@x').toString('base64')}`])
  })

  test('a proxy that refuses, or is not there', async () => {
    const way = `http://127.0.0.1:${portOf(http)}`
    expect(await published('--proxy', way, '-h', 'denied')).toEqual({
      code: 1,
      errors: `godwit pub: mqtt://denied:1883: the proxy 127.0.0.1:${portOf(http)}: it refused the way to denied:1883: 403 Forbidden; check --host and --port, and that the server runs\n`,
    })
    expect((await published('--proxy', 'socks5h://127.0.0.1:1')).errors).toMatch(
      /^godwit pub: mqtt:\/\/broker\.inside:1883: the proxy 127\.0\.0\.1:1: .*\n$/,
    )
  })

  test.each([
    [
      ['--proxy', 'ftp://x'],
      "--proxy is 'ftp://x'; it takes socks5h://[user:password@]host[:port], or http:// or https:// (CONNECT)",
    ],
  ])('%j is refused', async (args, problem) => {
    expect((await published(...args)).errors).toBe(`godwit pub: ${problem}; see godwit pub --help\n`)
  })

  test('does not lead to a Unix domain socket', async () => {
    const terminal = new TestTerminal()
    expect(await terminal.run('pub', '--unix', '/x', '--proxy', 'http://x', '-t', 'a', '-n')).toBe(1)
    expect(terminal.errors).toBe('godwit pub: a Unix domain socket is reached without a proxy; leave out --proxy\n')
  })
})
