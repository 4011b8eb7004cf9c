import { type Client, type ConnectOptions, connect } from '../src/index.js'
import { type Peer, ScriptedServer } from './scripted-server.js'
import { VirtualClock } from './virtual-clock.js'

export interface Rig {
  readonly clock: VirtualClock
  readonly server: ScriptedServer
  /** What connect() needs to be in the rig's hands. */
  readonly options: ConnectOptions
}

export function rig(options: ConnectOptions = {}): Rig {
  const clock = new VirtualClock()
  const server = new ScriptedServer()
  return { clock, server, options: { clock, openStream: server.openStream, clientId: 'me', ...options } }
}

export interface Connected extends Rig {
  readonly client: Client
  readonly peer: Peer
}

/** A client whose first connection stands. */
export async function connected(options: ConnectOptions = {}, sessionPresent = false): Promise<Connected> {
  const made = rig(options)
  const connecting = connect('mqtt://broker', made.options)
  const peer = await made.server.accept()
  await peer.welcome({ sessionPresent })
  return { ...made, client: await connecting, peer }
}

/** The error a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it was expected to reject')
}
