import type { Outgoing } from './state/outgoing.js'

/** Bytes of UTF-8 that one UTF-16 unit of a text may take. */
const mostBytesOfUnit = 3
/** What is fixed in a PUBLISH: header, lengths, packet id, and the properties that are numbers. */
const mostFixedBytes = 48

/** No PUBLISH with this is larger: quickly told, where far more is taken. The client of a page does without. */
export function mostPublishBytes({
  topic,
  payload,
  properties,
}: Pick<Outgoing, 'topic' | 'payload' | 'properties'>): number {
  let units = topic.length
  let bytes = mostFixedBytes + payload.length
  if (properties) {
    const { contentType = '', responseTopic = '', correlationData, userProperties = [] } = properties
    units += contentType.length + responseTopic.length
    bytes += correlationData?.length ?? 0
    for (const [name, value] of userProperties) {
      units += name.length + value.length
      bytes += 5
    }
  }
  return bytes + units * mostBytesOfUnit
}
