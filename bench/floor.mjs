// The floor: what a connection and a message cost a Node process that does next to nothing with them. Bare sockets, over TLS with a
// certificate: CONNACK, PINGRESP, and a PUBLISH of 3.1.1 goes as it came to the one who subscribed to just that topic, at QoS 1 with
// PUBACK. Nothing is checked or kept, and there is one write a packet. The broker is measured against it:
//
//   node bench/floor.mjs 18860 [CERT KEY] &  LOAD --port 18860 --pid PID --idle 15000
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

const connack = new Uint8Array([0x20, 2, 0, 0])
const pingresp = new Uint8Array([0xd0, 0])
const port = Number(process.argv[2] ?? 18860)
const [cert, key] = process.argv.slice(3).map((file) => readFileSync(file))

/** Who has subscribed, by topic. @type {Map<string, import('node:net').Socket>} */
const subscribers = new Map()

/** @param {import('node:net').Socket} socket */
function answer(socket) {
  let greeted = false
  /** What has come in part. @type {Buffer} */
  let rest = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    if (greeted) {
      rest = handle(socket, rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk)
      return
    }
    greeted = true
    socket.write(connack)
  })
  socket.on('error', () => socket.destroy())
}

/** Answers all whole packets. @param {import('node:net').Socket} socket @param {Buffer} bytes @returns {Buffer} What is left. */
function handle(socket, bytes) {
  let at = 0
  while (at + 2 <= bytes.length) {
    let body = at + 1
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[body++] ?? 0
      length |= (byte & 127) << shift
      if (byte < 128) break
    }
    if (body + length > bytes.length) break
    one(socket, bytes.subarray(at, body + length), body - at)
    at = body + length
  }
  return bytes.subarray(at)
}

/** @param {import('node:net').Socket} socket @param {Buffer} packet @param {number} body where it begins */
function one(socket, packet, body) {
  const type = (packet[0] ?? 0) >> 4
  if (type === 12) socket.write(pingresp)
  if (type === 3) {
    const end = body + 2 + packet.readUInt16BE(body)
    subscribers.get(packet.toString('latin1', body + 2, end))?.write(packet)
    if ((packet[0] ?? 0) & 6) socket.write(new Uint8Array([0x40, 2, packet[end] ?? 0, packet[end + 1] ?? 0]))
  }
  if (type === 8) {
    const end = body + 4 + packet.readUInt16BE(body + 2)
    subscribers.set(packet.toString('latin1', body + 4, end), socket)
    socket.write(new Uint8Array([0x90, 3, packet[body] ?? 0, packet[body + 1] ?? 0, packet[end] ?? 0]))
  }
}

const server =
  cert && key ? createTlsServer({ cert, key, noDelay: true }, answer) : createServer({ noDelay: true }, answer)
server.listen({ host: '127.0.0.1', port, backlog: 4096 }, () => console.log(`floor listening on 127.0.0.1:${port}`))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0))
