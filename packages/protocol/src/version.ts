/** The Protocol Level of CONNECT: 3 is MQTT 3.1 (named MQIsdp), 4 is 3.1.1, 5 is 5.0. */
export type ProtocolVersion = 3 | 4 | 5

/** Quality of Service: at most once, at least once, exactly once (section 4.3). */
export type QoS = 0 | 1 | 2
