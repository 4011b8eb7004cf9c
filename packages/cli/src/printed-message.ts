import type { PropertiesOf } from '@godwit/protocol'

/** What can be printed of a message; a `Message` of @godwit/client fits. */
export interface PrintedMessage {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: number
  readonly retain: boolean
  readonly packetId: number | undefined
  /** MQTT 5.0. */
  readonly properties: PropertiesOf<'publish'> | undefined
}
