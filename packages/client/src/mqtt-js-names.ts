import { called } from './option-checks.js'

/** Where options of MQTT.js are found. */
export const mqttJsConnectOptions: Readonly<Record<string, string>> = {
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
