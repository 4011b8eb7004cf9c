import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { commandPeer } from './command-peer.js'
import type { Peer } from './peer.js'

const python = '/usr/bin/python3'
const script = fileURLToPath(new URL('paho-peer.py', import.meta.url))
const installed = spawnSync(python, ['-c', 'import paho.mqtt.client']).status === 0

/** Debian's python3-paho-mqtt. */
export const paho: Peer = commandPeer({
  name: 'paho-mqtt',
  missing: installed ? undefined : 'paho-mqtt is not installed: apt-get install python3-paho-mqtt',
  subscribe: (port, filter, qos, count) => [python, script, 'sub', `${port}`, filter, `${qos}`, `${count}`],
  subscribed: /SUBACK/,
  publish: (port, topic, qos) => [python, script, 'pub', `${port}`, topic, `${qos}`],
})
