import { once } from 'node:events'
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CommandError } from '../command-error.js'
import { ControlSocket, type Serve } from './control-socket.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-control-'))
const path = join(home, 'control.sock')
afterAll(() => rmSync(home, { recursive: true }))

const logged: string[] = []
const log = { log: (level: string, message: string) => void logged.push(`${level} ${message}`) }

const open = (serve: Serve): Promise<ControlSocket> => ControlSocket.open(path, serve, log)

/** What is answered until the other side closes. */
async function answerTo(...sent: readonly string[]): Promise<string> {
  const socket = createConnection({ path })
  for (const part of sent) socket.write(part)
  return text(socket)
}

describe('a socket', () => {
  let control: ControlSocket
  beforeEach(async () => {
    control = await open(({ request }, answers) => {
      if (request === 'reload') throw new CommandError('it is broken')
      if (request === 'top') throw new RangeError('a bug')
      if (request === 'trace') answers.send({ tracing: true })
      if (request === 'status') answers.end({ version: '1' })
    })
  })
  afterEach(() => control.close())

  test('is for its user alone', () => {
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('answers a line of JSON, in however many parts it comes, by another', async () => {
    expect(await answerTo('{"request":"status"}\n')).toBe('{"version":"1"}\n')
    expect(await answerTo('{"requ', 'est":"status"', '}\nmore')).toBe('{"version":"1"}\n')
  })

  test('answers one who has ended its side', async () => {
    const socket = createConnection({ path, allowHalfOpen: true })
    socket.end('{"request":"status"}\n')
    expect(await text(socket)).toBe('{"version":"1"}\n')
  })

  test.each([['nonsense'], ['{"request":"stop"}'], ['{"request":"reload","now":true}'], ['[]'], ['']])(
    'refuses %j',
    async (line) => {
      expect(await answerTo(`${line}\n`)).toMatch(/^\{"error":"this is no request; one is a line such as .*"\}\n$/)
    },
  )

  test('refuses a request without an end', async () => {
    expect(await answerTo('x'.repeat(300_000))).toBe('{"error":"a request has at most 262144 bytes"}\n')
  })

  test('answers what goes wrong in words, and logs a bug', async () => {
    expect(await answerTo('{"request":"reload"}\n')).toBe('{"error":"it is broken"}\n')
    expect(logged).toEqual([])
    expect(await answerTo('{"request":"top"}\n')).toMatch(/unexpected failure: RangeError: a bug; please report it/)
    expect(logged.splice(0)).toEqual(['error a request over the control socket failed'])
  })

  test('takes 16 connections, and one again when one of them has gone', async () => {
    const connected = await Promise.all(
      Array.from({ length: 16 }, async () => {
        const socket: Socket = createConnection({ path })
        await once(socket, 'connect')
        return socket
      }),
    )
    expect(await answerTo('{"request":"status"}\n')).toMatch(/^\{"error":"16 are connected/)
    connected[0]!.end('{"request":"status"}\n')
    expect(await text(connected[0]!)).toBe('{"version":"1"}\n')
    await expect.poll(() => answerTo('{"request":"status"}\n')).toBe('{"version":"1"}\n')
    for (const socket of connected) socket.destroy()
  })

  test('that answers is not taken away', async () => {
    await expect(open(() => {})).rejects.toThrow(`a running program listens on ${path}; end it, or name another path`)
    expect(await answerTo('{"request":"status"}\n')).toBe('{"version":"1"}\n')
  })

  test('ends the answers under way when it is closed, and is gone then', async () => {
    const socket = createConnection({ path })
    socket.write('{"request":"trace","client":"x"}\n')
    await once(socket, 'data')
    await control.close()
    await once(socket, 'close')
    expect(existsSync(path)).toBe(false)
    control = await open(() => {})
  })
})

test('the socket of a dead process is replaced', async () => {
  const other = createServer().listen({ path: join(home, 'dead') })
  await once(other, 'listening')
  // Moved away, it is not removed when its server ends: so it is what a killed process leaves.
  renameSync(join(home, 'dead'), path)
  other.close()
  await once(other, 'close')
  expect(existsSync(path)).toBe(true)
  const control = await open((_, answers) => answers.end({ ok: true }))
  expect(await answerTo('{"request":"status"}\n')).toBe('{"ok":true}\n')
  await control.close()
})

test('a file that is no socket stays', async () => {
  writeFileSync(path, 'precious')
  await expect(open(() => {})).rejects.toThrow(`${path} is no socket; name another path with --control PATH`)
  rmSync(path)
})
