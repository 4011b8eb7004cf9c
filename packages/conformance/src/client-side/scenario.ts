/** What the client under test is asked to do, by name: the command has it as `{scenario}` and MQTT_CONFORM_SCENARIO. */
export const scenarios = {
  connect: 'connect with a will, a user name and a password, disconnect, end',
  idle: 'connect with Keep Alive 1 and a clean session, and say nothing more',
  'publish-1':
    'with a session that is kept, reconnecting: publish several messages at QoS 1 at once; disconnect when they are acknowledged',
  'publish-2': 'the same at QoS 2',
  'publish-retained': 'publish a message with RETAIN 1',
  'publish-large': 'publish a message of 10,000 bytes at QoS 1',
  'publish-alias': 'publish to several topics with topic aliases (5.0), if the client has them',
  subscribe:
    'with a session that is kept: subscribe at QoS 2, stay, take what comes; unsubscribe when the message "end" comes',
} as const

export type Scenario = keyof typeof scenarios
