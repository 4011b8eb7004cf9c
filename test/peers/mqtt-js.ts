import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commandPeer, commandRequester, commandResponder } from './command-peer.js'
import type { Peer, PeerVersion, Requester, Responder } from './peer.js'
import { scriptArguments } from './script-arguments.js'

const program = [process.execPath, fileURLToPath(new URL('mqtt-js-peer.mjs', import.meta.url))]
const name = 'MQTT.js'
const missing = existsSync(new URL('node_modules/mqtt', import.meta.url))
  ? undefined
  : 'MQTT.js is not installed: npm ci --prefix test/peers'

/** MQTT.js 5, from npm. */
export function mqttJs(version: PeerVersion): Peer {
  return commandPeer({ name, missing, subscribed: /SUBACK/, ...scriptArguments.peer(program, version) })
}

export const mqttJsRequester: Requester = commandRequester(name, missing, scriptArguments.request(program))
export const mqttJsResponder: Responder = commandResponder(name, missing, scriptArguments.respond(program))
