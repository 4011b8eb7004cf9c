import { Decoder, type ProtocolVersion } from '@godwit/protocol'

/** More than any CONNACK or AUTH has. */
const mostBytes = 262_144

/** Looks at what a node sends to a client until that is in: the bytes go on as they are. */
export class WelcomeWatch {
  readonly #decoder: Decoder

  constructor(version: ProtocolVersion) {
    this.#decoder = new Decoder({ version, maxPacketBytes: mostBytes, allowControlCharacters: true })
  }

  /** The reason code of CONNACK, in the terms of 5.0; `undefined`: it is not there yet. What cannot be read is for the client to judge. */
  see(chunk: Uint8Array): number | undefined {
    try {
      this.#decoder.push(chunk)
      for (let packet = this.#decoder.next(); packet; packet = this.#decoder.next()) {
        if (packet.type === 'connack') return packet.reasonCode
      }
      return undefined
    } catch {
      return 0
    }
  }
}
