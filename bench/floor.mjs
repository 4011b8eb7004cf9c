// The floor: what a connection costs a Node process that does next to nothing with it. A bare probe of plain sockets that
// answers the first bytes with CONNACK and any PINGREQ with PINGRESP. The broker is measured against it:
//
//   node bench/floor.mjs 18860 &  LOAD --port 18860 --pid PID --idle 15000
import { createServer } from 'node:net'

const connack = new Uint8Array([0x20, 2, 0, 0])
const pingresp = new Uint8Array([0xd0, 0])
const port = Number(process.argv[2] ?? 18860)

const server = createServer({ noDelay: true }, (socket) => {
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
})
server.listen({ host: '127.0.0.1', port, backlog: 4096 }, () => console.log(`floor listening on 127.0.0.1:${port}`))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(0))
