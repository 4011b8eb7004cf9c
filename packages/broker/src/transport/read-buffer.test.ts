import { connect, createServer, Socket } from 'node:net'
import { expect, it } from 'vitest'
import { DuplexTransport } from './duplex.js'
import { readIntoOne } from './read-buffer.js'

it('hands over what a socket of a server reads without a Buffer of its own', async () => {
  const read: { text: string; backing: number }[] = []
  const server = createServer((socket) => {
    readIntoOne(socket)
    const transport = new DuplexTransport(socket, { transport: 'tcp', address: '' })
    transport.start({
      onData: (chunk) => void read.push({ text: Buffer.from(chunk).toString(), backing: chunk.buffer.byteLength }),
      onPartial: () => {},
      onEnd: () => transport.end(),
      onClose: () => {},
    })
  })
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening))
  const client = connect((server.address() as { port: number }).port, '127.0.0.1')
  client.resume()
  client.end('hello')
  await new Promise((closed) => client.on('close', closed))
  await new Promise((closed) => void server.close(closed))
  expect(read).toEqual([{ text: 'hello', backing: 262_144 }])
})

it('leaves a socket without a connection as it is', () => {
  expect(() => readIntoOne(new Socket())).not.toThrow()
})
