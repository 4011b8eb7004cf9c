import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commandPeer, commandRequester } from './command-peer.js'
import { mosquittoFlags } from './mosquitto-flags.js'
import type { Peer, PeerVersion, Requester } from './peer.js'

/** The built command: the peers' tests run what a user runs. */
export const godwitMain: string = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url))

/** Why the command cannot be used, or undefined when it can. */
export const godwitMissing: string | undefined = existsSync(godwitMain)
  ? undefined
  : 'the godwit command is not built: npm run build'

/** Our command line, with the flags of mosquitto's. */
export function godwitCommand(version: PeerVersion): Peer {
  const { subscribe, publish } = mosquittoFlags(version)
  return commandPeer({
    name: 'godwit command',
    missing: godwitMissing,
    subscribe: (what) => [process.execPath, godwitMain, 'sub', ...subscribe(what)],
    subscribed: /subscribed to/,
    publish: (what) => [process.execPath, godwitMain, 'pub', ...publish(what)],
  })
}

/** Without `-e`: on a response topic and with Correlation Data of its own. */
export const godwitRr: Requester = commandRequester('godwit rr', godwitMissing, (port, topic, payload) =>
  `${process.execPath} ${godwitMain} rr -p ${port} -t ${topic} -m ${payload} -q 1 -W 10`
    .split(' ')
    .concat('-F', 'response %p'),
)
