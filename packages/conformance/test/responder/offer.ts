/** QoS 1 and 2 messages taken before the first is acknowledged (5.0, section 3.2.2.3.3). */
export const receiveMaximum = 100
/** The highest alias a client may use (5.0, section 3.2.2.3.8). */
export const topicAliasMaximum = 10
/** Seconds, where the server chooses them (5.0, section 3.2.2.3.14). */
export const serverKeepAlive = 20
/** Seconds, where the server keeps sessions for less than they ask (5.0, section 3.2.2.3.2). */
export const longestSessionSeconds = 30
