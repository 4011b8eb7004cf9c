import { encodeUtf8, type PropertiesOf, type ReceivedPublish } from '@godwit/protocol'
import type { Findings } from './findings.js'
import type { PublisherState } from './publisher.js'

/** Message Expiry Intervals that are given in turn; `undefined`: none. */
const intervals = [undefined, 20, 5000] as const
/** By so much may the Message Expiry Interval of a delivery be off: it is in whole seconds. */
const toleranceSeconds = 1

/** What the message with a key goes out with, all of which must reach every subscriber as it is. */
export function propertiesOf(key: string): PropertiesOf<'publish'> {
  const interval = intervalOf(key)
  return {
    payloadFormatIndicator: 1,
    contentType: `type of ${key}`,
    responseTopic: `answers/${key}`,
    correlationData: encodeUtf8(key),
    userProperties: [
      ['b', key],
      ['a', '1'],
      ['b', '2'],
    ],
    ...(interval && { messageExpiryInterval: interval }),
  }
}

function intervalOf(key: string): number | undefined {
  return intervals[Number(key.split(':')[1]) % intervals.length]
}

/** When a message expires, at the earliest and at the latest, by the broker's clock: from when it had been taken over. */
export function expiryOf(
  { times }: PublisherState,
  key: string,
): { readonly earliest: number; readonly latest: number } {
  const interval = intervalOf(key)
  const time = times[Number(key.split(':')[1])]
  if (interval === undefined || !time) return { earliest: Number.POSITIVE_INFINITY, latest: Number.POSITIVE_INFINITY }
  return { earliest: time.sent + interval * 1000, latest: time.taken + interval * 1000 }
}

/** Compares a delivery with what was published. */
export function checkTerms(
  { properties = {}, dup, retain }: ReceivedPublish,
  key: string,
  publisher: PublisherState,
  now: number,
  findings: Findings,
): void {
  const { messageExpiryInterval: left, subscriptionIdentifiers: _, topicAlias: _a, ...kept } = properties
  const { messageExpiryInterval: interval, ...given } = propertiesOf(key)
  if (textOf(kept) !== textOf(given)) findings.changed.push(`${key}: ${textOf(kept)}`)
  const { earliest, latest } = expiryOf(publisher, key)
  if ((left === undefined) !== (interval === undefined)) findings.expiry.push(`${key}: interval ${left}`)
  if (left === undefined) return
  // What may have been sent before goes out again, expired or not [MQTT-4.3.3-7].
  if (latest <= now && !dup) findings.expiry.push(`${key}${retain ? ', retained,' : ''} came after its time`)
  const most = Math.max(0, latest - now) / 1000 + toleranceSeconds
  const least = Math.max(0, earliest - now) / 1000 - toleranceSeconds
  if (left > most || left < least) findings.expiry.push(`${key}: ${left} s left, not ${least} to ${most}`)
}

/** One text for equal properties, whatever order they stand in; user properties keep theirs. */
function textOf(properties: PropertiesOf<'publish'>): string {
  const entries = Object.entries(properties).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  ])
  return JSON.stringify(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)))
}
