import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { commandPeer } from './command-peer.js'
import type { Peer } from './peer.js'

/** The built command: the peers' tests run what a user runs. */
export const godwitMain: string = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url))

/** Why the command cannot be used, or undefined when it can. */
export const godwitMissing: string | undefined = existsSync(godwitMain)
  ? undefined
  : 'the godwit command is not built: npm run build'

/** Our command line, with the flags of mosquitto's. */
export const godwitCommand: Peer = commandPeer({
  name: 'godwit command',
  missing: godwitMissing,
  subscribe: (port, filter, qos, count) =>
    `${process.execPath} ${godwitMain} sub -d -p ${port} -t ${filter} -q ${qos} -C ${count}`
      .split(' ')
      .concat('-F', 'message %t %p'),
  subscribed: /subscribed to/,
  publish: (port, topic, qos) => `${process.execPath} ${godwitMain} pub -p ${port} -t ${topic} -q ${qos} -l`.split(' '),
})
