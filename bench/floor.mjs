// The floor: what a connection costs a Node process that does next to nothing with it. A bare probe of sockets, over TLS with
// a certificate, that answers the first bytes with CONNACK and any PINGREQ with PINGRESP. The broker is measured against it:
//
//   node bench/floor.mjs 18860 [CERT KEY] &  LOAD --port 18860 --pid PID --idle 15000
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

const connack = new Uint8Array([0x20, 2, 0, 0])
const pingresp = new Uint8Array([0xd0, 0])
const port = Number(process.argv[2] ?? 18860)
const [cert, key] = process.argv.slice(3).map((file) => readFileSync(file))

/** @param {import('node:net').Socket} socket */
function answer(socket) {
  let greeted = false
  socket.on('data', (chunk) => {
    if (greeted) {
      if (chunk[0] === 0xc0) socket.write(pingresp)
      return
    }
    greeted = true
    socket.write(connack)
  })
  socket.on('error', () => socket.destroy())
}

const server =
  cert && key ? createTlsServer({ cert, key, noDelay: true }, answer) : createServer({ noDelay: true }, answer)
server.listen({ host: '127.0.0.1', port, backlog: 4096 }, () => console.log(`floor listening on 127.0.0.1:${port}`))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0))
