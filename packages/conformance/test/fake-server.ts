import { encode, type Packet } from '@godwit/protocol'
import { Framer } from '../src/framer.js'
import type { ByteStream, Target } from '../src/target.js'

/** What a scripted server can do on one connection. */
export interface Line {
  send(...packets: readonly Packet[]): void
  sendBytes(bytes: Uint8Array): void
  close(): void
}

/** Told of each packet of a client. */
export type Script = (packet: Packet, line: Line) => void

export interface FakeServer extends Target {
  /** The packets clients have sent, over all connections. */
  readonly heard: readonly Packet[]
  /** How much time was asked to pass. */
  readonly sleptMs: number
}

/** A server that does what the script says, right or wrong, with no sockets and no time. */
export function fakeServer(script: Script): FakeServer {
  const heard: Packet[] = []
  let sleptMs = 0
  return {
    patienceMs: 20,
    heard,
    get sleptMs() {
      return sleptMs
    },
    async sleep(ms) {
      sleptMs += ms
    },
    async settled() {},
    async open() {
      return stream((packet, line) => {
        heard.push(packet)
        script(packet, line)
      })
    },
  }
}

function stream(script: Script): ByteStream {
  const framer = new Framer(4)
  let onData: (chunk: Uint8Array) => void = () => {}
  let onClose: () => void = () => {}
  const line: Line = {
    send: (...packets) => {
      for (const packet of packets) onData(encode(packet, 4))
    },
    sendBytes: (bytes) => onData(bytes),
    close: () => onClose(),
  }
  return {
    write: (bytes) => {
      for (const { packet } of framer.push(bytes)) if (packet) script(packet, line)
    },
    end: () => onClose(),
    destroy: () => onClose(),
    onData: (listener) => {
      onData = listener
    },
    onClose: (listener) => {
      onClose = listener
    },
  }
}

/** Answers as a server should, as far as one connection by itself goes: nothing is routed or kept. */
export const polite: Script = (packet, line) => {
  switch (packet.type) {
    case 'connect':
      return line.send({ type: 'connack', sessionPresent: false, reasonCode: 0 })
    case 'publish': {
      const { qos, packetId = 0 } = packet
      if (qos > 0) line.send({ type: qos === 1 ? 'puback' : 'pubrec', packetId })
      return
    }
    case 'pubrel':
      return line.send({ type: 'pubcomp', packetId: packet.packetId })
    case 'subscribe':
      return line.send({
        type: 'suback',
        packetId: packet.packetId,
        reasonCodes: packet.subscriptions.map(({ qos }) => qos),
      })
    case 'unsubscribe':
      return line.send({ type: 'unsuback', packetId: packet.packetId, reasonCodes: [] })
    case 'pingreq':
      return line.send({ type: 'pingresp' })
    case 'disconnect':
      return line.close()
  }
}
