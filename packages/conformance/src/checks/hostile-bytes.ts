/**
 * What a server does, written as what comes of it: `closed` (with no reply), `open` (with none either), hex before
 * either of them for the reply, `refused` for closed with no CONNACK or one that refuses, `closed late` for closed at
 * once or when the time to connect is over.
 */
export interface HostileInput {
  readonly name: string
  /** Where the bytes come: first on a connection, or after a CONNECT that was accepted. */
  readonly after: 'nothing' | 'connect'
  readonly hex: string
  /** Each reaction that will do. */
  readonly accept: readonly string[]
}

/** Hostile inputs that are plain bytes. The client id `h1` (6831) stands only where nothing is accepted. */
// biome-ignore format: one row an input
export const hostileBytes: readonly HostileInput[] = [
  { name: 'first-packet-pingreq', after: 'nothing', hex: 'c000', accept: ['closed'] },
  { name: 'first-packet-publish', after: 'nothing', hex: '300400016178', accept: ['closed'] },
  { name: 'first-packet-disconnect', after: 'nothing', hex: 'e000', accept: ['closed'] },
  { name: 'packet-type-0', after: 'nothing', hex: '0000', accept: ['closed'] },
  { name: 'packet-type-0-connected', after: 'connect', hex: '0000', accept: ['closed'] },
  { name: 'packet-type-15-on-3.1.1', after: 'connect', hex: 'f000', accept: ['closed'] },
  { name: 'http-get', after: 'nothing', hex: '474554202f20485454502f312e310d0a486f73743a20780d0a0d0a', accept: ['closed late'] },
  { name: 'ssh-banner', after: 'nothing', hex: '5353482d322e302d4f70656e5353485f392e320d0a', accept: ['closed late'] },
  { name: 'varint-5-bytes', after: 'nothing', hex: '10ffffffff01', accept: ['closed'] },
  { name: 'varint-5-bytes-connected', after: 'connect', hex: '308080808001', accept: ['closed'] },
  { name: 'varint-padded-pingreq', after: 'connect', hex: 'c08000', accept: ['d000 open', 'closed'] },
  { name: 'remaining-length-max-header-only', after: 'connect', hex: '30ffffff7f', accept: ['closed'] },
  { name: 'connect-remaining-length-max', after: 'nothing', hex: '10ffffff7f00044d515454', accept: ['closed late'] },
  { name: 'pingreq-with-body', after: 'connect', hex: 'c00100', accept: ['closed'] },
  { name: 'client-sends-connack', after: 'connect', hex: '20020000', accept: ['closed'] },
  { name: 'client-sends-suback', after: 'connect', hex: '9003000100', accept: ['closed'] },
  { name: 'client-sends-unsuback', after: 'connect', hex: 'b0020001', accept: ['closed'] },
  { name: 'client-sends-pingresp', after: 'connect', hex: 'd000', accept: ['closed'] },
  { name: 'connect-flags-reserved-header', after: 'nothing', hex: '110e00044d5154540402003c00026831', accept: ['closed'] },
  { name: 'connect-empty-body', after: 'nothing', hex: '1000', accept: ['closed'] },
  { name: 'connect-name-length-lies', after: 'nothing', hex: '100d01904d5154540402003c000161', accept: ['closed'] },
  { name: 'connect-name-MQTX', after: 'nothing', hex: '100e00044d5154580402003c00026831', accept: ['closed'] },
  { name: 'connect-name-lowercase', after: 'nothing', hex: '100e00046d7174740402003c00026831', accept: ['closed'] },
  { name: 'connect-name-MQIsdp-level-4', after: 'nothing', hex: '101000064d51497364700402003c00026831', accept: ['20020001 closed', 'closed'] },
  { name: 'connect-level-6', after: 'nothing', hex: '100e00044d5154540602003c00026831', accept: ['20020001 closed', '2003008400 closed'] },
  { name: 'connect-level-255', after: 'nothing', hex: '100e00044d515454ff02003c00026831', accept: ['20020001 closed', '2003008400 closed'] },
  { name: 'connect-will-qos-3', after: 'nothing', hex: '101400044d515454041e003c0002683100017700016d', accept: ['refused'] },
  { name: 'connect-will-qos-without-will', after: 'nothing', hex: '100e00044d515454040a003c00026831', accept: ['refused'] },
  { name: 'connect-will-retain-without-will', after: 'nothing', hex: '100e00044d5154540422003c00026831', accept: ['refused'] },
  { name: 'connect-will-flag-no-fields', after: 'nothing', hex: '100e00044d5154540406003c00026831', accept: ['refused'] },
  { name: 'connect-will-topic-no-message', after: 'nothing', hex: '101100044d5154540406003c00026831000177', accept: ['refused'] },
  { name: 'connect-will-topic-empty', after: 'nothing', hex: '101300044d5154540406003c00026831000000016d', accept: ['refused'] },
  { name: 'connect-user-flag-no-field', after: 'nothing', hex: '100e00044d5154540482003c00026831', accept: ['refused'] },
  { name: 'connect-trailing-bytes', after: 'nothing', hex: '101000044d5154540402003c00026831dead', accept: ['refused'] },
  { name: 'connect-clientid-length-past-end', after: 'nothing', hex: '100e00044d5154540402003cffff6162', accept: ['refused'] },
  { name: 'connect-clientid-missing', after: 'nothing', hex: '100a00044d5154540402003c', accept: ['refused'] },
  { name: 'connect-clientid-bad-utf8', after: 'nothing', hex: '100e00044d5154540402003c000261ff', accept: ['refused'] },
  { name: 'connect-clientid-nul', after: 'nothing', hex: '100f00044d5154540402003c0003610062', accept: ['refused'] },
  { name: 'connect-empty-id-no-clean', after: 'nothing', hex: '100c00044d5154540400003c0000', accept: ['20020002 closed'] },
  { name: 'connect-username-nul', after: 'nothing', hex: '101200044d5154540482003c0002683100027500', accept: ['refused'] },
  { name: 'publish-no-topic', after: 'connect', hex: '3000', accept: ['closed'] },
  { name: 'publish-topic-length-past-end', after: 'connect', hex: '300400206162', accept: ['closed'] },
  { name: 'publish-topic-length-1-byte', after: 'connect', hex: '300100', accept: ['closed'] },
  { name: 'publish-topic-hash', after: 'connect', hex: '300400012378', accept: ['closed'] },
  { name: 'publish-topic-bad-utf8', after: 'connect', hex: '3005000261ff78', accept: ['closed'] },
  { name: 'publish-topic-lone-continuation', after: 'connect', hex: '300400018078', accept: ['closed'] },
  { name: 'publish-topic-truncated-utf8', after: 'connect', hex: '3006000361e28278', accept: ['closed'] },
  { name: 'publish-qos1-mid-0', after: 'connect', hex: '3206000161000078', accept: ['closed'] },
  { name: 'publish-qos1-no-mid', after: 'connect', hex: '3203000161', accept: ['closed'] },
  { name: 'publish-qos1-half-mid', after: 'connect', hex: '320400016100', accept: ['closed'] },
  { name: 'puback-short', after: 'connect', hex: '400100', accept: ['closed'] },
  { name: 'puback-long', after: 'connect', hex: '4003000700', accept: ['closed'] },
  { name: 'puback-mid-0', after: 'connect', hex: '40020000', accept: ['closed'] },
  { name: 'pubrec-bad-flags', after: 'connect', hex: '51020007', accept: ['closed'] },
  { name: 'pubrec-long', after: 'connect', hex: '5003000700', accept: ['closed'] },
  { name: 'pubrec-mid-0', after: 'connect', hex: '50020000', accept: ['closed'] },
  { name: 'pubrel-bad-flags', after: 'connect', hex: '63020007', accept: ['closed'] },
  { name: 'pubrel-short', after: 'connect', hex: '620100', accept: ['closed'] },
  { name: 'pubrel-long', after: 'connect', hex: '6203000700', accept: ['closed'] },
  { name: 'pubrel-mid-0', after: 'connect', hex: '62020000', accept: ['closed'] },
  { name: 'pubrel-unknown-mid', after: 'connect', hex: '62027f07', accept: ['70027f07 open'] },
  { name: 'pubcomp-long', after: 'connect', hex: '7003000700', accept: ['closed'] },
  { name: 'pubcomp-unknown-mid', after: 'connect', hex: '70027f07', accept: ['open'] },
  { name: 'pubrel-flags-0', after: 'connect', hex: '60020007', accept: ['closed'] },
  { name: 'subscribe-flags-0', after: 'connect', hex: '8006000100016100', accept: ['closed'] },
  { name: 'subscribe-no-filter', after: 'connect', hex: '82020001', accept: ['closed'] },
  { name: 'subscribe-qos3', after: 'connect', hex: '8206000100016103', accept: ['closed'] },
  { name: 'subscribe-reserved-bits', after: 'connect', hex: '8206000100016181', accept: ['closed'] },
  { name: 'subscribe-filter-no-qos', after: 'connect', hex: '82050001000161', accept: ['closed'] },
  { name: 'subscribe-filter-hash-middle', after: 'connect', hex: '820a00010005612f232f6200', accept: ['closed', '9003000180 open'] },
  { name: 'subscribe-filter-plus-glued', after: 'connect', hex: '820900010004612b2f6200', accept: ['closed', '9003000180 open'] },
  { name: 'subscribe-filter-nul', after: 'connect', hex: '820700010002610000', accept: ['closed'] },
  { name: 'unsubscribe-flags-0', after: 'connect', hex: 'a0050001000161', accept: ['closed'] },
  { name: 'unsubscribe-mid-0', after: 'connect', hex: 'a2050000000161', accept: ['closed'] },
  { name: 'unsubscribe-length-past-end', after: 'connect', hex: 'a2050001000961', accept: ['closed'] },
  { name: 'unsubscribe-never-subscribed', after: 'connect', hex: 'a206000900027a7a', accept: ['b0020009 open'] },
]
