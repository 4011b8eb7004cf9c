// The aedes broker, from npm, on a free port that it tells.
//
//   node aedes-broker.mjs [tcp|tls|ws|wss [CERT KEY]]
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Aedes } from 'aedes'
import { createWebSocketStream, WebSocketServer } from 'ws'

const [over = 'tcp', ...files] = process.argv.slice(2)
const [cert, key] = files.map((file) => readFileSync(file))
const aedes = await Aedes.createBroker()
const servers = {
  tcp: () => createServer(aedes.handle),
  tls: () => createTlsServer({ cert, key }, aedes.handle),
  ws: () => overWebSocket(createHttpServer()),
  wss: () => overWebSocket(createHttpsServer({ cert, key })),
}
const server = servers[over]()
server.listen(0, '127.0.0.1', () => console.log(`listening on 127.0.0.1:${server.address().port}`))
process.on('SIGTERM', () => process.exit(0))

function overWebSocket(server) {
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'mqtt' })
  sockets.on('connection', (socket, request) => aedes.handle(createWebSocketStream(socket), request))
  return server
}
