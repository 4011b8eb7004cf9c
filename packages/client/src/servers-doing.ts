import { reason } from '@godwit/protocol'
import { isReset } from '#socket'
import { type AnyClientError, ConnectionError, ServerDisconnectedError } from './errors.js'

/** Reasons of DISCONNECT that are about what the client has sent. */
const aboutPackets: ReadonlySet<number> = new Set([
  reason.unspecifiedError,
  reason.malformedPacket,
  reason.protocolError,
  reason.implementationSpecificError,
  reason.notAuthorized,
  reason.topicNameInvalid,
  reason.packetTooLarge,
  reason.quotaExceeded,
  reason.payloadFormatInvalid,
  reason.retainNotSupported,
  reason.qosNotSupported,
])

/** Whether the server ended a connection as it does because of a packet, rather than the network or this side. */
export function isServersDoing(error: AnyClientError): boolean {
  if (error instanceof ServerDisconnectedError) return aboutPackets.has(error.reasonCode)
  if (!(error instanceof ConnectionError)) return false
  if (error.code === 'connection-closed') return true
  // What was not read when a server closed makes its system reset the connection.
  return error.code === 'network-error' && isReset(error.cause)
}
