import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { commandPeer, commandRequester, commandResponder } from './command-peer.js'
import type { Peer, PeerVersion, Requester, Responder } from './peer.js'
import { scriptArguments } from './script-arguments.js'

const python = '/usr/bin/python3'
const program = [python, fileURLToPath(new URL('paho-peer.py', import.meta.url))]
const name = 'paho-mqtt'
const missing =
  spawnSync(python, ['-c', 'import paho.mqtt.client']).status === 0
    ? undefined
    : 'paho-mqtt is not installed: apt-get install python3-paho-mqtt'

/** Debian's python3-paho-mqtt. */
export function paho(version: PeerVersion): Peer {
  return commandPeer({ name, missing, subscribed: /SUBACK/, ...scriptArguments.peer(program, version) })
}

export const pahoRequester: Requester = commandRequester(name, missing, scriptArguments.request(program))
export const pahoResponder: Responder = commandResponder(name, missing, scriptArguments.respond(program))
