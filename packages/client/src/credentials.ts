import type { Payload } from './payload.js'

/** Who the client says it is. */
export interface Credentials {
  readonly username?: string
  /** A password needs a user name below MQTT 5.0 [MQTT-3.1.2-22]. */
  readonly password?: Payload
}
