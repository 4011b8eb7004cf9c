import { existsSync } from 'node:fs'
import { commandPeer, commandRequester } from './command-peer.js'
import { mosquittoFlags } from './mosquitto-flags.js'
import type { Peer, PeerVersion, Requester } from './peer.js'

const subscriber = '/usr/bin/mosquitto_sub'
const missing = existsSync(subscriber) ? undefined : 'mosquitto_sub is not installed: apt-get install mosquitto-clients'

/** Debian's mosquitto-clients. */
export function mosquittoClients(version: PeerVersion): Peer {
  const { subscribe, publish } = mosquittoFlags(version)
  return commandPeer({
    name: 'mosquitto clients',
    missing,
    // stdbuf: it holds its lines back when they go to a pipe. -d: it tells of the SUBACK.
    subscribe: (what) => ['stdbuf', '-oL', subscriber, ...subscribe(what)],
    subscribed: /received SUBACK/,
    publish: (what) => ['/usr/bin/mosquitto_pub', ...publish(what)],
  })
}

/** It leaves the Correlation Data to its user. */
export const mosquittoRr: Requester = commandRequester('mosquitto_rr', missing, (port, topic, payload) =>
  `/usr/bin/mosquitto_rr -V 5 -p ${port} -t ${topic} -e mosquitto/answer -m ${payload} -q 1 -W 10`
    .split(' ')
    .concat('-D', 'publish', 'correlation-data', 'mine', '-F', 'response %p'),
)
