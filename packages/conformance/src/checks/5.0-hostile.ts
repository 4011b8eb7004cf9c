import type { Check, Dialogue } from '../check.js'
import { closes } from './violations.js'

/** Wrong bytes on a connection of 5.0, each of which ends it. */
const closing: Readonly<Record<string, string>> = {
  'client-sends-connack-v5': '2003000000',
  'client-sends-suback-v5': '900400010000',
  'client-sends-pingresp-v5': 'd000',
  'connect-second-v5': '100f00044d5154540502003c0000026831',
  'puback-v5-prop-length-past-end': '400400070005',
  'v5-publish-unknown-prop': '3007000161027e0078',
  'v5-publish-prop-truncated': '30080001610302000078',
  'v5-publish-expiry-twice': '300f0001610a0200000001020000000178',
  'v5-publish-alias-unknown-empty-topic': '300700000323000178',
  'v5-publish-empty-topic-no-alias': '300400000078',
  'v5-publish-response-topic-wildcard': '300b00016106080003722f2378',
  'v5-publish-user-prop-bad-utf8': '300d000161082600026bff00017678',
  'v5-publish-user-prop-half': '3009000161042600016b78',
  'v5-subscribe-no-prop-length': '82020001',
  'v5-subscribe-sub-id-twice': '820b0001040b010b0200016100',
  'v5-subscribe-retain-handling-3': '820700010000016130',
  'v5-subscribe-qos3': '820700010000016103',
  'v5-share-no-local': '8210000100000a2473686172652f672f6104',
  'v5-auth-empty': 'f000',
  'v5-auth-bad-flags': 'f100',
  'v5-disconnect-bad-reason-0x05': 'e00105',
  'v5-disconnect-prop-length-past-end': 'e002007f',
  'v5-pingreq-with-body': 'c00100',
}

/** A CONNECT of 5.0 that no server accepts. */
const refused: Readonly<Record<string, string>> = {
  'connect-v5-no-prop-length': '100a00044d5154540502003c',
  'connect-v5-unknown-prop-0x7f': '101100044d5154540502003c027f0000026831',
  'connect-v5-prop-not-for-connect': '101200044d5154540502003c0323000100026831',
  'connect-v5-receive-max-0': '101200044d5154540502003c0321000000026831',
  'connect-v5-max-packet-0': '101400044d5154540502003c05270000000000026831',
  'connect-v5-request-problem-2': '101100044d5154540502003c02170200026831',
  'connect-v5-auth-data-without-method': '101300044d5154540502003c041600017800026831',
  'connect-v5-will-prop-unknown': '101b00044d5154540506003c000002683105110000000100017700016d',
  'connect-v5-will-payload-format-2': '101800044d5154540506003c000002683102010200017700016d',
}

export const hostileChecks50: readonly Check[] = [
  ...Object.entries(closing).map(([name, hex]) =>
    hostile(name, 'closed, whether or not DISCONNECT says why', closes(hex)),
  ),
  ...Object.entries(refused).map(([name, hex]) =>
    hostile(name, 'closed, whether or not CONNACK says why', async (t) => {
      const c = await t.open()
      c.sendHex(hex)
      await c.expectRefused()
    }),
  ),
]

/** Hostile inputs of 5.0 that are not played, and why. */
export const missingHostile50: Readonly<Record<string, string>> = {
  'varint-padded-pingreq-v5': 'not written yet',
  'connect-v5-max-packet-1': 'not written yet',
  'connect-v5-user-props-1000': 'not written yet',
  'v5-publish-response-topic-empty': 'not written yet',
  'v5-receive-maximum-exceeded': 'not written yet',
  'v5-share-no-filter': 'not written yet',
  'v5-share-empty-filter': 'not written yet',
  'v5-share-bad-filter': 'not written yet',
  'v5-session-expiry-max': 'not written yet',
  'v5-will-delay-max': 'not written yet',
  'v5-message-expiry-max': 'not written yet',
}

function hostile(name: string, text: string, run: Dialogue): Check {
  return { id: `hostile/${name}`, version: '5.0', section: 'hostile', text, cases: [{ name: '', run }] }
}
