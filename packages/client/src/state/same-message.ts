import type { StoredPublish } from './store.js'

/** Whether only the progress of a publication differs, so that the message itself need not be written again. */
export function isSameMessage(one: StoredPublish, other: StoredPublish): boolean {
  return (
    one.payload === other.payload &&
    one.topic === other.topic &&
    one.qos === other.qos &&
    one.retain === other.retain &&
    one.properties === other.properties &&
    one.expiresAt === other.expiresAt
  )
}
