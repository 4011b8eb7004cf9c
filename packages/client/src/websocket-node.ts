import type { Socket } from 'node:net'
import { type ClientOptions, WebSocket } from 'ws'
import type { ServerAddress } from './server-address.js'
import type { ByteStream, ByteStreamEvents, SocketOptions } from './socket.js'

/** So many bytes may wait in the WebSocket before writing should. */
const highWaterBytes = 65_536

/**
 * MQTT over a WebSocket (section 6) on a socket that is being connected. Its binary messages are a stream of bytes:
 * where one ends means nothing [MQTT-6.0.0-2].
 */
export function openWebSocket(
  server: ServerAddress,
  { headers, subprotocols, maxMessageBytes }: SocketOptions,
  socket: Socket,
  events: ByteStreamEvents,
  unref: boolean,
): ByteStream {
  const options: ClientOptions = {
    createConnection: () => socket,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    ...(headers && { headers }),
  }
  const webSocket = new WebSocket(server.url, [...subprotocols], options)
  webSocket.binaryType = 'nodebuffer'
  let failure: Error | undefined
  let isFull = false
  webSocket.on('open', () => events.onOpen())
  webSocket.on('message', (data, isBinary) => {
    if (!isBinary) {
      failure ??= new Error('the server sent a WebSocket text frame, where MQTT has binary ones')
      webSocket.close(1003)
      return webSocket.terminate() // [MQTT-6.0.0-1]; the other side's farewell is not waited for
    }
    if (failure === undefined) events.onData(data as Buffer)
  })
  // Not before the server has answered: a program that awaits connect() must live to see it.
  if (unref) webSocket.once('message', () => socket.unref())
  webSocket.on('error', (error) => {
    failure ??= error
    webSocket.terminate()
  })
  webSocket.on('close', () => events.onClose(failure))
  const onSent = (): void => {
    if (!isFull || webSocket.bufferedAmount >= highWaterBytes) return
    isFull = false
    events.onDrain()
  }
  return {
    write(bytes) {
      webSocket.send(bytes, onSent) // [MQTT-6.0.0-1]
      isFull = webSocket.bufferedAmount >= highWaterBytes
      return !isFull
    },
    end: () => webSocket.close(1000),
    destroy: () => webSocket.terminate(),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
  }
}
