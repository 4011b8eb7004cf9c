import type { PropertiesOf } from '@godwit/protocol'
import type {
  CloseOptions,
  PublishOptions,
  PublishProperties,
  RequestOptions,
  RespondOptions,
  ResponseMessage,
} from './client.js'
import type { Credentials } from './credentials.js'
import type { GivenProperties } from './given-properties.js'
import {
  aBoolean,
  aFunction,
  aNumber,
  anObject,
  aPem,
  aSignal,
  aString,
  type Check,
  called,
  duration,
  exactlyOr,
  objectOf,
  oneOf,
  oneOrMorePems,
  oneOrMoreStrings,
  optionTable,
  pairs,
  recordOfStrings,
  stringOrBytes,
} from './option-checks.js'
import type { CallOptions, ConnectOptions, OfflineQueueOptions, ReconnectOptions, WillOptions } from './options.js'
import type { SubscribeOptions } from './subscription.js'
import type { TlsOptions } from './tls-options.js'

const qos = oneOf(0, 1, 2)
const call = { signal: aSignal, timeoutMs: duration }
/** Options of which the payload is looked at elsewhere, with an error of its own. */
const elsewhereChecked: Check = () => undefined
const clientsOwn = 'the client sets it itself'

const messageProperties = {
  payloadFormatIndicator: oneOf(0, 1),
  messageExpiryInterval: aNumber,
  contentType: aString,
  responseTopic: aString,
  correlationData: stringOrBytes,
  userProperties: pairs,
}

const willTable = optionTable<WillOptions>(
  {
    topic: aString,
    payload: elsewhereChecked,
    qos,
    retain: aBoolean,
    delaySeconds: aNumber,
    properties: objectOf(
      optionTable<Omit<GivenProperties<'will'>, 'willDelayInterval'>>(messageProperties, {
        willDelayInterval: called('will.delaySeconds'),
      }),
    ),
  },
  { message: called('will.payload') },
)

const reconnectTable = optionTable<ReconnectOptions>({ initialMs: aNumber, maxMs: aNumber, stableMs: aNumber })

const offlineQueueTable = optionTable<OfflineQueueOptions>({
  maxMessages: aNumber,
  maxBytes: aNumber,
  qos0: oneOf('drop', 'queue'),
})

const tlsTable = optionTable<TlsOptions>(
  {
    ca: oneOrMorePems,
    cert: aPem,
    key: aPem,
    passphrase: aString,
    alpn: oneOrMoreStrings,
    servername: aString,
    rejectUnauthorized: aBoolean,
    checkServername: aBoolean,
    minVersion: oneOf('TLSv1.2', 'TLSv1.3'),
  },
  {
    ALPNProtocols: called('tls.alpn'),
    checkServerIdentity: 'use tls.servername, or tls.checkServername: false',
    pfx: 'use tls.cert and tls.key, in PEM form',
  },
)

/** Where options of MQTT.js are found. */
const mqttJsConnectOptions: Readonly<Record<string, string>> = {
  ALPNProtocols: called('tls.alpn'),
  autoAssignTopicAlias: called('topicAliases'),
  autoUseTopicAlias: called('topicAliases'),
  ca: called('tls.ca'),
  cert: called('tls.cert'),
  connectTimeout: called('attemptTimeoutMs'),
  customHandleAcks: "subscribe with ack: 'manual', and call message.ack()",
  host: "the server's URL stands before the options: connect('mqtt://host:1883', options)",
  hostname: "the server's URL stands before the options: connect('mqtt://host:1883', options)",
  incomingStore: called('store'),
  keepalive: called('keepAliveSeconds'),
  key: called('tls.key'),
  manualConnect: 'call connect() when it is time, or with background: true',
  outgoingStore: called('store'),
  passphrase: called('tls.passphrase'),
  path: "it is part of the server's URL: connect('ws://host/path', options)",
  port: "it is part of the server's URL: connect('mqtt://host:1883', options)",
  protocol: "it is the beginning of the server's URL: connect('mqtts://host', options)",
  protocolId: 'use version: 3 for MQTT 3.1',
  protocolVersion: called('version'),
  queueQoSZero: called("offlineQueue: { qos0: 'queue' }"),
  reconnectOnConnackError: "the server's reason decides: see ServerRefusedError",
  reconnectPeriod: `${called('reconnect: { initialMs, maxMs }')}, or reconnect: false`,
  rejectUnauthorized: called('tls.rejectUnauthorized'),
  reschedulePings: 'leave it out: pings are sent when nothing else is',
  resubscribe: 'leave it out: what is subscribed to is subscribed to again',
  servername: called('tls.servername'),
  servers: 'give a list of URLs before the options: connect([url, url], options)',
  sessionExpiryInterval: called('sessionExpirySeconds'),
  timeout: called('connectTimeoutMs'),
  transformWsUrl: 'use credentials, a function that is asked before each attempt',
  userProperties: called('properties.userProperties'),
  wsOptions: called('headers'),
}

export const connectTable = optionTable<ConnectOptions>(
  {
    username: aString,
    password: stringOrBytes,
    clientId: aString,
    clean: aBoolean,
    sessionExpirySeconds: aNumber,
    keepAliveSeconds: aNumber,
    pingTimeoutMs: aNumber,
    credentials: aFunction,
    will: objectOf(willTable),
    version: oneOf(3, 4, 5),
    fallback: aBoolean,
    properties: objectOf(
      optionTable<Pick<PropertiesOf<'connect'>, 'userProperties'>>(
        { userProperties: pairs },
        {
          sessionExpiryInterval: called('sessionExpirySeconds'),
          receiveMaximum: called('receiveMaximum, beside properties,'),
          maximumPacketSize: called('maxPacketBytes'),
          topicAliasMaximum: called('topicAliasMaximum, beside properties,'),
          requestResponseInformation: called('requestResponseInformation, beside properties,'),
          requestProblemInformation: called('requestProblemInformation, beside properties,'),
          authenticationMethod: called('authentication'),
          authenticationData: called('authentication'),
        },
      ),
    ),
    authentication: anObject,
    followRedirects: aBoolean,
    reconnect: exactlyOr(false, reconnectTable),
    connectTimeoutMs: aNumber,
    attemptTimeoutMs: aNumber,
    warnAfterMs: aNumber,
    background: aBoolean,
    signal: aSignal,
    maxInflight: aNumber,
    receiveMaximum: aNumber,
    topicAliasMaximum: aNumber,
    topicAliases: aBoolean,
    requestResponseInformation: aBoolean,
    requestProblemInformation: aBoolean,
    offlineQueue: objectOf(offlineQueueTable),
    maxBuffered: aNumber,
    holdUnclaimedMs: aNumber,
    maxPacketBytes: aNumber,
    unref: aBoolean,
    store: anObject,
    tls: objectOf(tlsTable),
    headers: recordOfStrings,
    openStream: aFunction,
    dial: aFunction,
    clock: anObject,
  },
  mqttJsConnectOptions,
)

export const credentialsTable = optionTable<Credentials>({ username: aString, password: stringOrBytes })

export const callTable = optionTable<CallOptions>(call)

export const publishTable = optionTable<PublishOptions>(
  {
    ...call,
    qos,
    retain: aBoolean,
    properties: objectOf(
      optionTable<PublishProperties>(messageProperties, {
        topicAlias: clientsOwn,
        subscriptionIdentifiers: clientsOwn,
        subscriptionIdentifier: clientsOwn,
      }),
    ),
  },
  {
    dup: clientsOwn,
    messageId: clientsOwn,
    cbStorePut: 'await store.flush()',
    ...Object.fromEntries(Object.keys(messageProperties).map((name) => [name, called(`properties.${name}`)])),
  },
)

export const subscribeTable = optionTable<SubscribeOptions>(
  {
    ...call,
    qos,
    onMessage: aFunction,
    ack: oneOf('auto', 'manual'),
    partial: aBoolean,
    noLocal: aBoolean,
    retainAsPublished: aBoolean,
    retainHandling: oneOf(0, 1, 2),
    properties: objectOf(
      optionTable<Pick<PropertiesOf<'subscribe'>, 'userProperties'>>(
        { userProperties: pairs },
        { subscriptionIdentifier: clientsOwn, subscriptionIdentifiers: clientsOwn },
      ),
    ),
  },
  {
    nl: called('noLocal'),
    rap: called('retainAsPublished'),
    rh: called('retainHandling'),
    userProperties: called('properties.userProperties'),
  },
)

/** Of messages whose address the client sets. */
const addressedProperties = objectOf(
  optionTable<NonNullable<RequestOptions['properties']>>(
    {
      payloadFormatIndicator: messageProperties.payloadFormatIndicator,
      messageExpiryInterval: aNumber,
      contentType: aString,
      userProperties: pairs,
    },
    { responseTopic: clientsOwn, correlationData: clientsOwn },
  ),
)

export const requestTable = optionTable<RequestOptions>({ ...call, qos, properties: addressedProperties })

export const responseTable = optionTable<ResponseMessage>(
  { payload: elsewhereChecked, properties: addressedProperties },
  { contentType: called('properties.contentType'), userProperties: called('properties.userProperties') },
)

export const respondTable = optionTable<RespondOptions>({ ...call, qos })

export const closeTable = optionTable<CloseOptions>({
  timeoutMs: duration,
  reasonCode: oneOf(0x00, 0x04),
  sessionExpirySeconds: aNumber,
  properties: objectOf(
    optionTable<NonNullable<CloseOptions['properties']>>(
      { reasonString: aString, userProperties: pairs },
      { sessionExpiryInterval: called('sessionExpirySeconds, beside properties,') },
    ),
  ),
})

/** Events of MQTT.js, and where to look instead. */
export const mqttJsEvents: ReadonlyMap<string, string> = new Map(
  Object.entries({
    message: 'messages come to subscribe(filter, { onMessage }), or to a loop over the subscription',
    reconnect: "it is called state here, with 'connecting'",
    offline: called('disconnect'),
    error: 'calls reject, and close tells of the error that ended the client',
    end: called('close'),
    packetsend: 'there is nothing like it; godwit trace shows packets at the broker',
    packetreceive: 'there is nothing like it; godwit trace shows packets at the broker',
    outgoingEmpty: 'await the promises of publish(), or close()',
  }),
)
