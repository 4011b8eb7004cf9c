import { once } from 'node:events'
import type { Socket } from 'node:net'

/** The headers of a client that wants to speak MQTT over WebSocket. */
export function upgradeHeaders(host: string, ...more: readonly string[]): string[] {
  return [
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: mqtt',
    ...more,
  ]
}

export const upgradeRequest = `GET /mqtt HTTP/1.1\r\n${upgradeHeaders('localhost').join('\r\n')}\r\n\r\n`

/** The header of a binary frame of a client, with a mask of zeros: the payload is sent as it is. */
export function frameHeader(bytes: number): Buffer {
  if (bytes < 126) return Buffer.from([0x82, 0x80 | bytes, 0, 0, 0, 0])
  const header = Buffer.alloc(14)
  header.writeUInt16BE(0x82ff)
  header.writeBigUInt64BE(BigInt(bytes), 2)
  return header
}

/** That of a part of a message which has no end, the first or a further one. */
export function fragmentHeader(bytes: number, isFurther: boolean): Buffer {
  const header = frameHeader(bytes)
  header[0] = isFurther ? 0x00 : 0x02
  return header
}

/** A socket on which the server has agreed to speak WebSocket; nothing of it has been read by events. */
export async function upgraded(socket: Socket): Promise<Socket> {
  socket.write(upgradeRequest)
  for (let answer = ''; !answer.endsWith('\r\n\r\n'); ) {
    const chunk = socket.read() as Buffer | null
    if (chunk) answer += chunk.toString('latin1')
    else await once(socket, 'readable')
  }
  return socket
}
