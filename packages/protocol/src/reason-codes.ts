/** The packets that carry a reason code. */
export type ReasonHost =
  | 'connack'
  | 'puback'
  | 'pubrec'
  | 'pubrel'
  | 'pubcomp'
  | 'suback'
  | 'unsuback'
  | 'disconnect'
  | 'auth'

interface Row {
  readonly code: number
  readonly text: string
  readonly hosts: readonly ReasonHost[]
}

function row<const C extends number>(code: C, text: string, ...hosts: ReasonHost[]): Row & { readonly code: C } {
  return { code, text, hosts }
}

/** One row a reason code of MQTT 5.0 (section 2.4): number, name, and the packets that may carry it. From 0x80 on it is an error. */
export const rows = {
  success: row(0x00, 'Success', 'connack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'unsuback', 'auth'),
  normalDisconnection: row(0x00, 'Normal disconnection', 'disconnect'),
  grantedQos0: row(0x00, 'Granted QoS 0', 'suback'),
  grantedQos1: row(0x01, 'Granted QoS 1', 'suback'),
  grantedQos2: row(0x02, 'Granted QoS 2', 'suback'),
  disconnectWithWillMessage: row(0x04, 'Disconnect with Will Message', 'disconnect'),
  noMatchingSubscribers: row(0x10, 'No matching subscribers', 'puback', 'pubrec'),
  noSubscriptionExisted: row(0x11, 'No subscription existed', 'unsuback'),
  continueAuthentication: row(0x18, 'Continue authentication', 'auth'),
  reAuthenticate: row(0x19, 'Re-authenticate', 'auth'),
  unspecifiedError: row(0x80, 'Unspecified error', 'connack', 'puback', 'pubrec', 'suback', 'unsuback', 'disconnect'),
  malformedPacket: row(0x81, 'Malformed Packet', 'connack', 'disconnect'),
  protocolError: row(0x82, 'Protocol Error', 'connack', 'disconnect'),
  implementationSpecificError: row(
    0x83,
    'Implementation specific error',
    'connack',
    'puback',
    'pubrec',
    'suback',
    'unsuback',
    'disconnect',
  ),
  unsupportedProtocolVersion: row(0x84, 'Unsupported Protocol Version', 'connack'),
  clientIdentifierNotValid: row(0x85, 'Client Identifier not valid', 'connack'),
  badUserNameOrPassword: row(0x86, 'Bad User Name or Password', 'connack'),
  notAuthorized: row(0x87, 'Not authorized', 'connack', 'puback', 'pubrec', 'suback', 'unsuback', 'disconnect'),
  serverUnavailable: row(0x88, 'Server unavailable', 'connack'),
  serverBusy: row(0x89, 'Server busy', 'connack', 'disconnect'),
  banned: row(0x8a, 'Banned', 'connack'),
  serverShuttingDown: row(0x8b, 'Server shutting down', 'disconnect'),
  badAuthenticationMethod: row(0x8c, 'Bad authentication method', 'connack', 'disconnect'),
  keepAliveTimeout: row(0x8d, 'Keep Alive timeout', 'disconnect'),
  sessionTakenOver: row(0x8e, 'Session taken over', 'disconnect'),
  topicFilterInvalid: row(0x8f, 'Topic Filter invalid', 'suback', 'unsuback', 'disconnect'),
  topicNameInvalid: row(0x90, 'Topic Name invalid', 'connack', 'puback', 'pubrec', 'disconnect'),
  packetIdentifierInUse: row(0x91, 'Packet Identifier in use', 'puback', 'pubrec', 'suback', 'unsuback'),
  packetIdentifierNotFound: row(0x92, 'Packet Identifier not found', 'pubrel', 'pubcomp'),
  receiveMaximumExceeded: row(0x93, 'Receive Maximum exceeded', 'disconnect'),
  topicAliasInvalid: row(0x94, 'Topic Alias invalid', 'disconnect'),
  packetTooLarge: row(0x95, 'Packet too large', 'connack', 'disconnect'),
  messageRateTooHigh: row(0x96, 'Message rate too high', 'disconnect'),
  quotaExceeded: row(0x97, 'Quota exceeded', 'connack', 'puback', 'pubrec', 'suback', 'disconnect'),
  administrativeAction: row(0x98, 'Administrative action', 'disconnect'),
  payloadFormatInvalid: row(0x99, 'Payload format invalid', 'connack', 'puback', 'pubrec', 'disconnect'),
  retainNotSupported: row(0x9a, 'Retain not supported', 'connack', 'disconnect'),
  qosNotSupported: row(0x9b, 'QoS not supported', 'connack', 'disconnect'),
  useAnotherServer: row(0x9c, 'Use another server', 'connack', 'disconnect'),
  serverMoved: row(0x9d, 'Server moved', 'connack', 'disconnect'),
  sharedSubscriptionsNotSupported: row(0x9e, 'Shared Subscriptions not supported', 'suback', 'disconnect'),
  connectionRateExceeded: row(0x9f, 'Connection rate exceeded', 'connack', 'disconnect'),
  maximumConnectTime: row(0xa0, 'Maximum connect time', 'disconnect'),
  subscriptionIdentifiersNotSupported: row(0xa1, 'Subscription Identifiers not supported', 'suback', 'disconnect'),
  wildcardSubscriptionsNotSupported: row(0xa2, 'Wildcard Subscriptions not supported', 'suback', 'disconnect'),
}

type Rows = typeof rows
export type ReasonName = keyof Rows

/** Every reason code by its name: `reason.notAuthorized` is 0x87. */
export const reason: { readonly [K in ReasonName]: Rows[K]['code'] } = Object.fromEntries(
  Object.entries(rows).map(([name, { code }]) => [name, code]),
) as { [K in ReasonName]: Rows[K]['code'] }

const textByCode = new Map<number, string>()
const codesByHost = new Map<ReasonHost, Set<number>>()
for (const { code, text, hosts } of Object.values(rows)) {
  if (!textByCode.has(code)) textByCode.set(code, text)
  for (const host of hosts) codesByHost.set(host, (codesByHost.get(host) ?? new Set()).add(code))
}

/** The standard's words for a reason code; its number in hex when the standard has none. */
export function reasonName(code: number): string {
  return textByCode.get(code) ?? `reason code 0x${code.toString(16).padStart(2, '0')}`
}

/** Whether this kind of packet may carry the code. */
export function isReasonFor(host: ReasonHost, code: number): boolean {
  return codesByHost.get(host)?.has(code) ?? false
}
