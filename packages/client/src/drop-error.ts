import { type AnyClientError, clientClosed, PublishError } from './errors.js'
import type { DropReason } from './state/outgoing.js'

/** The error of a publication that is over without having been completed; `ended` is that of a client that is over. */
export function dropError(topic: string, why: DropReason, ended: AnyClientError | undefined): AnyClientError {
  if (typeof why !== 'string') return why
  switch (why) {
    case 'session-lost':
      return new PublishError(why, topic, 'the server forgot the session in mid-handshake; it may have arrived or not')
    case 'connection-lost':
      return new PublishError(why, topic, 'the connection ended before this QoS 0 message was sent')
    case 'expired':
      return new PublishError(why, topic, 'its Message Expiry Interval was over before it could be sent')
    case 'client-closed':
      return ended ?? clientClosed()
  }
}
