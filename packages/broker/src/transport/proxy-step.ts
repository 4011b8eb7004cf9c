import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Handshakes } from './handshakes.js'
import { parseProxyHeader, readProxyHeader } from './proxy-protocol.js'
import type { Peer } from './transport.js'

/**
 * The step for sockets of proxies: the header says for whom they come.
 * @param next what comes after it.
 * @param readsByItself whether that begins to read without being told, as TLS does.
 */
export function proxyStep(
  handshakes: Handshakes,
  next: (stream: Duplex, socket: Socket, peer: Peer) => void,
  readsByItself: boolean,
): (socket: Socket, peer: Peer) => void {
  return (socket, peer) =>
    readProxyHeader(socket, parseProxyHeader, {
      onHeader: ({ source, length }) => {
        const known = { ...peer, ...source }
        if (!handshakes.identified(socket, known.address, length)) return
        next(socket, socket, known)
        if (!readsByItself) socket.resume() // it was read by hand, so it would wait to be told
      },
      onBroken: (why) => handshakes.refuse(socket, 'proxy-header', why),
      onLeft: () => {
        handshakes.left(socket, 'proxy-header', 'it ended before its PROXY header did')
        socket.destroy()
      },
    })
}
