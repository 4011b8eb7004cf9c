import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commandPeer } from './command-peer.js'
import type { Peer } from './peer.js'

const script = fileURLToPath(new URL('mqtt-js-peer.mjs', import.meta.url))
const installed = existsSync(new URL('node_modules/mqtt', import.meta.url))

/** MQTT.js 5, from npm. */
export const mqttJs: Peer = commandPeer({
  name: 'MQTT.js',
  missing: installed ? undefined : 'MQTT.js is not installed: npm ci --prefix test/peers',
  subscribe: (port, filter, qos, count) => [process.execPath, script, 'sub', `${port}`, filter, `${qos}`, `${count}`],
  subscribed: /SUBACK/,
  publish: (port, topic, qos) => [process.execPath, script, 'pub', `${port}`, topic, `${qos}`],
})
