import type { Packet, ProtocolVersion } from '@godwit/protocol'

/** What a peer needs from the check it plays in. */
export interface PeerHost {
  readonly version: ProtocolVersion
  readonly patienceMs: number
  /** The largest packet the server takes, if that was known before it was asked. */
  readonly maximumPacketSize?: number | undefined
  sleep(ms: number): Promise<void>
  settled(): Promise<void>
  /** Takes a line of the record of what was said. */
  note(line: string): void
  /** Ends the dialogue: it does not apply to this server. */
  skip(reason: string): never
  /** Told of each packet sent, for the tidying up afterwards. */
  sent(packet: Packet): void
}
