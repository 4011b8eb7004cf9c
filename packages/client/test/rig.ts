import type { PropertiesOf } from '@godwit/protocol'
import { beforeEach, describe } from 'vitest'
import { type Client, type ConnectOptions, connect } from '../src/index.js'
import { type Peer, ScriptedServer } from './scripted-server.js'
import { VirtualClock } from './virtual-clock.js'

export interface Rig {
  readonly clock: VirtualClock
  readonly server: ScriptedServer
  /** What connect() needs to be in the rig's hands. */
  readonly options: ConnectOptions
}

/** What clients of the rig speak, where their options do not say. */
let spoken: 4 | 5 = 5

/** The same tests in both versions of MQTT. */
export function inBothVersions(tests: (version: 4 | 5) => void): void {
  describe.each([
    ['3.1.1', 4],
    ['5.0', 5],
  ] as const)('MQTT %s', (_, version) => {
    beforeEach(() => {
      spoken = version
      return () => {
        spoken = 5
      }
    })
    tests(version)
  })
}

export function rig(options: ConnectOptions = {}): Rig {
  const clock = new VirtualClock()
  const server = new ScriptedServer()
  return {
    clock,
    server,
    options: { clock, openStream: server.openStream, clientId: 'me', version: spoken, ...options },
  }
}

export interface Connected extends Rig {
  readonly client: Client
  readonly peer: Peer
}

/** A client whose first connection stands; `properties` of CONNACK are for 5.0. */
export async function connected(
  options: ConnectOptions = {},
  sessionPresent = false,
  properties?: PropertiesOf<'connack'>,
): Promise<Connected> {
  const made = rig(options)
  const connecting = connect('mqtt://broker', made.options)
  const peer = await made.server.accept()
  await peer.welcome({ sessionPresent, ...(properties && { properties }) })
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
