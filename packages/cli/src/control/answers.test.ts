import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Answers } from './answers.js'

const home = mkdtempSync(join(tmpdir(), 'godwit-answers-'))
const path = join(home, 'socket')
let server: Server
beforeAll(async () => {
  server = createServer({ allowHalfOpen: true }).listen({ path })
  await once(server, 'listening')
})
afterAll(() => {
  server.close()
  rmSync(home, { recursive: true })
})

/** Both sides of a connection: who asks, and who answers. */
async function joined(): Promise<{ reader: Socket; socket: Socket; answers: Answers }> {
  const accepted = once(server, 'connection')
  const reader = createConnection({ path, allowHalfOpen: true })
  const [socket] = (await accepted) as [Socket]
  socket.on('error', () => {}) // a reader may go while it is written to
  return { reader, socket: socket.resume(), answers: new Answers(socket) }
}

test('no more than about a megabyte is kept for a reader that takes nothing', async () => {
  const { reader, socket, answers } = await joined()
  reader.pause()
  let sent = 0
  while (answers.send({ text: 'x'.repeat(10_000) })) sent++
  expect(socket.writableLength).toBeGreaterThan(1_048_576)
  expect(socket.writableLength).toBeLessThan(1_100_000)
  expect(sent).toBeLessThan(200)
  reader.resume()
  await once(socket, 'drain')
  expect(answers.send({})).toBe(true)
  reader.destroy()
})

test.each([
  ['ends its side', (reader: Socket) => reader.end()],
  ['is gone', (reader: Socket) => reader.destroy()],
])('who %s has left, once', async (_, leave) => {
  const { reader, socket, answers } = await joined()
  let times = 0
  const left = new Promise<void>((resolve) =>
    answers.whenLeft(() => {
      times++
      resolve()
    }),
  )
  leave(reader.resume())
  await left
  if (!socket.closed) await once(socket, 'close')
  expect(times).toBe(1)
  expect(answers.send({})).toBe(false)
})

test('who had left before is known at once', async () => {
  const { reader, socket, answers } = await joined()
  reader.end()
  await once(socket, 'end')
  let left = false
  answers.whenLeft(() => {
    left = true
  })
  expect(left).toBe(true)
  reader.destroy()
})
