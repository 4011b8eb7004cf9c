import { describe, expect, test } from 'vitest'
import { connackReturnCode, isReasonFor, type ReasonHost, reason, reasonName } from '../src/index.js'

/** Table 2-6 of MQTT 5.0, typed off from there: code, name, packets (K CONNACK, A PUBACK, R PUBREC, L PUBREL, C PUBCOMP,
 *  S SUBACK, U UNSUBACK, D DISCONNECT, X AUTH). */
const table = `
00 success K A R L C U X
00 normalDisconnection D
00 grantedQos0 S
01 grantedQos1 S
02 grantedQos2 S
04 disconnectWithWillMessage D
10 noMatchingSubscribers A R
11 noSubscriptionExisted U
18 continueAuthentication X
19 reAuthenticate X
80 unspecifiedError K A R S U D
81 malformedPacket K D
82 protocolError K D
83 implementationSpecificError K A R S U D
84 unsupportedProtocolVersion K
85 clientIdentifierNotValid K
86 badUserNameOrPassword K
87 notAuthorized K A R S U D
88 serverUnavailable K
89 serverBusy K D
8a banned K
8b serverShuttingDown D
8c badAuthenticationMethod K D
8d keepAliveTimeout D
8e sessionTakenOver D
8f topicFilterInvalid S U D
90 topicNameInvalid K A R D
91 packetIdentifierInUse A R S U
92 packetIdentifierNotFound L C
93 receiveMaximumExceeded D
94 topicAliasInvalid D
95 packetTooLarge K D
96 messageRateTooHigh D
97 quotaExceeded K A R S D
98 administrativeAction D
99 payloadFormatInvalid K A R D
9a retainNotSupported K D
9b qosNotSupported K D
9c useAnotherServer K D
9d serverMoved K D
9e sharedSubscriptionsNotSupported S D
9f connectionRateExceeded K D
a0 maximumConnectTime D
a1 subscriptionIdentifiersNotSupported S D
a2 wildcardSubscriptionsNotSupported S D`
  .trim()
  .split('\n')
  .map((line) => {
    const [code, name, ...hosts] = line.split(' ')
    return { code: Number.parseInt(code!, 16), name: name as keyof typeof reason, hosts }
  })

const letters: Record<string, ReasonHost> = {
  K: 'connack',
  A: 'puback',
  R: 'pubrec',
  L: 'pubrel',
  C: 'pubcomp',
  S: 'suback',
  U: 'unsuback',
  D: 'disconnect',
  X: 'auth',
}

test('reason has every code of the standard by name, and no other', () => {
  expect(reason).toStrictEqual(Object.fromEntries(table.map(({ code, name }) => [name, code])))
})

test.each(Object.entries(letters))(
  '%s %s carries its codes and no other [MQTT-3.4.2-1] [MQTT-3.9.3-2] [MQTT-3.14.2-1] [MQTT-3.15.2-1]',
  (letter, host) => {
    const expected = new Set(table.filter(({ hosts }) => hosts.includes(letter)).map(({ code }) => code))
    for (let code = 0; code < 256; code++)
      expect(isReasonFor(host, code), `0x${code.toString(16)}`).toBe(expected.has(code))
  },
)

describe('reasonName', () => {
  test.each([
    [0x00, 'Success'],
    [0x87, 'Not authorized'],
    [0x8d, 'Keep Alive timeout'],
    [0x03, 'reason code 0x03'],
    [0xff, 'reason code 0xff'],
  ])('%i is %s', (code, name) => {
    expect(reasonName(code)).toBe(name)
  })
})

test('return codes of 3.1.1: six have one, the rest get no CONNACK [MQTT-3.2.2-6]', () => {
  const six = new Map([
    [0x00, 0],
    [0x84, 1],
    [0x85, 2],
    [0x88, 3],
    [0x86, 4],
    [0x87, 5],
  ])
  for (let code = 0; code < 256; code++) expect(connackReturnCode(code)).toBe(six.get(code))
})
