import type { PropertiesOf } from '@godwit/protocol'
import { dialCheck, headersCheck, tlsCheck } from '#socket'
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
import { mqttJsConnectOptions } from './mqtt-js-names.js'
import {
  aBoolean,
  aFunction,
  aNumber,
  anObject,
  aSignal,
  aString,
  type Check,
  called,
  duration,
  exactlyOr,
  objectOf,
  oneOf,
  optionTable,
  pairs,
  stringOrBytes,
} from './option-checks.js'
import type { CallOptions, ConnectOptions, OfflineQueueOptions, ReconnectOptions, WillOptions } from './options.js'
import type { SubscribeOptions } from './subscription.js'

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
    tls: tlsCheck,
    headers: headersCheck,
    openStream: aFunction,
    dial: dialCheck,
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
