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

/** A server that does what the script says, right or wrong, with no sockets and no time. */
export function scriptedServer(script: Script): Target {
  return {
    patienceMs: 20,
    sleep: async () => {},
    settled: async () => {},
    open: async () => stream(script),
  }
}

/** CONNACK that lets the client in. */
export function accept(line: Line): void {
  line.send({ type: 'connack', sessionPresent: false, reasonCode: 0 })
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
