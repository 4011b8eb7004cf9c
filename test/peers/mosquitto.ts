import { existsSync } from 'node:fs'
import { commandPeer } from './command-peer.js'
import type { Peer } from './peer.js'

const subscriber = '/usr/bin/mosquitto_sub'
const publisher = '/usr/bin/mosquitto_pub'

/** Debian's mosquitto-clients. */
export const mosquittoClients: Peer = commandPeer({
  name: 'mosquitto clients',
  missing: existsSync(subscriber) ? undefined : 'mosquitto_sub is not installed: apt-get install mosquitto-clients',
  // stdbuf: it holds its lines back when they go to a pipe. -d: it tells of the SUBACK.
  subscribe: (port, filter, qos, count) =>
    `stdbuf -oL ${subscriber} -d -p ${port} -t ${filter} -q ${qos} -C ${count}`
      .split(' ')
      .concat('-F', 'message %t %p'),
  subscribed: /received SUBACK/,
  publish: (port, topic, qos) => `${publisher} -p ${port} -t ${topic} -q ${qos} -l`.split(' '),
})
