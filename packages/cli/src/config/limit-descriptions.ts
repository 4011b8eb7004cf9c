// Made by `npm run page:configuration` from the doc comments in packages/broker/src/limits.ts; do not edit.

/** What each limit means, for the JSON Schema. */
export const limitDescriptions: Readonly<Record<string, string>> = {
  maxConnections:
    'Connections, those that have not said CONNECT included. Default 100,000. The next is closed without a word, and counted.',
  maxConnectionsPerAddress:
    "Connections from one address (of IPv6: from its /64). Default 10,000. The next: as above. This machine's own addresses, and transports that have none, are free of it.",
  maxConnectsPerSecond:
    "CONNECT packets in a second, from all addresses but this machine's; twice as many may come at once after a quiet time. Default 5,000. Beyond: 0x9F (return code 3).",
  maxConnectsPerSecondPerAddress: 'The same from one address. Default 1,000.',
  overloadDelayMs:
    'Milliseconds the event loop may be late, on average over some seconds, before who comes newly has to wait; those present are served. 0 = however late. Default 1,000.',
  overloadWaitMs:
    'Milliseconds a CONNECT waits for that to be over before it gets 0x89 (return code 3); 0 = it does not wait. Default 5,000.',
  maxPacketBytes:
    'Largest packet taken from a client, in bytes, fixed header included. Default 2,000,000. Larger: the connection is closed.',
  maxConnectBytes: 'Largest CONNECT, in bytes: it is read before anybody has shown who they are. Default 262,144.',
  maxUnauthenticatedBytes:
    'Bytes held for all connections that are not yet authenticated together. Default 67,108,864.',
  connectTimeoutMs: 'Milliseconds from accept to a whole CONNECT, whatever trickles in. Default 10,000.',
  maxInflight: 'QoS 1 and 2 messages sent to one client and not yet acknowledged, 1 to 65,535. Default 256.',
  maxQueuedMessages:
    'Messages that wait for one session. Default 100,000. Full: the new message is dropped and counted.',
  maxQueuedBytes:
    'Bytes that wait for one session: topics, properties, payloads, and some 100 an entry. Default 268,435,456. Full: the new message is dropped and counted.',
  maxOutboxBytes:
    "Bytes waiting for one client's socket above which QoS 0 messages to it are dropped and QoS 1 and 2 wait. Default 4,194,304.",
  drainTimeoutMs:
    'Milliseconds in which a client with more than `maxOutboxBytes` waiting must have taken something, or it is disconnected; 0 = for ever. Default 60,000. It is the kernel that takes it, when a third of its buffer is free again, which may be 1.5 MB: a slow client that reads that much in this time stays.',
  sessionExpirySeconds:
    'Seconds a session outlives its connection when the client cannot say (3.1.1, Clean Session 0); 4,294,967,295 = never expires. Default 2,592,000 (30 days).',
  maxSessionExpirySeconds:
    'Longest Session Expiry Interval granted to a client of 5.0, in seconds; a higher one is lowered, and CONNACK says so. Default 2,592,000 (30 days).',
  receiveMaximum:
    'QoS 1 and 2 messages a client of 5.0 may have unacknowledged towards the broker (Receive Maximum), 1 to 65,535. Default 1,024. Beyond: disconnected.',
  topicAliasMaximum: 'Topic Aliases a client of 5.0 may use towards the broker; 0 = none. Default 32.',
  maxKeepAliveSeconds:
    "Longest Keep Alive, in seconds; 0 = any, none included. Default 0. A CONNECT beyond it is refused at 3.1.1 (return code 2) and told the broker's own at 5.0.",
  maxPublishesPerSecond:
    "Publications taken from one client in a second; it may have saved up one second's. Default 10,000,000: more than one core takes. Beyond: it is read from later, or, with the feature `publishBeyondRate: refuse`, refused.",
  maxPublishBytesPerSecond: 'Their payload bytes. Default 1,073,741,824. Beyond: as above.',
  maxTopicBytes:
    'Longest Topic Name or Topic Filter, in bytes of UTF-8. Default 65,535. Longer: the connection is closed.',
  maxTopicLevels: 'Levels of a Topic Name or Topic Filter. Default 128. Deeper: the connection is closed.',
  maxSessions:
    'Sessions, with and without a connection. Default 1,000,000. A client that would need one more gets 0x97 (return code 3).',
  maxSubscriptionsPerSession: 'Subscriptions of one session. Default 10,000. Beyond: refused in SUBACK.',
  maxClientIdBytes: 'Longest Client Identifier, in bytes of UTF-8. Default 65,535. Longer: return code 2.',
  maxRetainedMessages:
    "Retained messages; 0 = none are kept. Default 1,000,000. Full: a new topic's message is delivered but not retained, and counted.",
  maxRetainedBytes:
    'Bytes of all retained messages: topics, properties, payloads, and some 100 an entry. Default 1,073,741,824. Full: as above.',
  maxWaitingBytes:
    'Bytes that are not yet committed or not yet answered, of all clients: messages, records of sessions, subscriptions and wills, acknowledgements, replies held back, packets that have come in part. Default 16,777,216. Beyond: whoever adds to them is not read from until a commit is over; one connection may have a sixteenth of it. Packets in part may take half of it: beyond that one client after the other sends the rest of its own.',
  maxStoredBytes:
    "Bytes that are kept, in memory or on disk: queues of sessions and shared groups, retained messages, records of sessions, subscriptions and wills, all together. Default 4,294,967,296; of a store in memory at most a quarter of the machine's memory, unless it is set. Full: new messages are dropped, not retained, and counted; new sessions and subscriptions get 0x97 (below 5.0: return code 3, 0x80).",
  diskReserveBytes:
    "Bytes of the data folder's disk that stay free. Default 268,435,456, or `diskReservePercent` of the disk where that is less; 0 = none. Below: publications that need the disk wait, then get 0x97 (below 5.0: the connection is closed); new sessions and subscriptions that outlive their connection are refused; retained messages at QoS 0 are not kept. What makes room goes on.",
  diskReservePercent:
    "Percent of the data folder's disk that stay free, if that is less than `diskReserveBytes`. Default 5; 0 = none.",
  willsAfterRestartPerSecond:
    'Wills an earlier process left that are published in a second, at most. Default 1,000. Those above wait for the next second.',
}
