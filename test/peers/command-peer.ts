import type { QoS } from '@godwit/protocol'
import { Background } from '../../scripts/background.mjs'
import type { Peer, Received } from './peer.js'

/** How a program is told to subscribe and to publish. */
export interface Commands {
  readonly name: string
  readonly missing: string | undefined
  /** Prints `message TOPIC PAYLOAD` for each message, each at once, and ends after `count`. */
  subscribe(port: number, filter: string, qos: QoS, count: number): readonly string[]
  /** What the subscriber prints when the SUBACK has come. */
  readonly subscribed: RegExp
  /** Publishes each line of its standard input, and ends with it. */
  publish(port: number, topic: string, qos: QoS): readonly string[]
}

/** A peer that is a pair of commands. */
export function commandPeer(commands: Commands): Peer {
  return {
    name: commands.name,
    missing: commands.missing,
    async subscribe(port, filter, qos, count) {
      const received: Received[] = []
      const onLine = (line: string): void => {
        const [, topic, payload] = /^message (\S+) (.*)$/.exec(line) ?? []
        if (topic !== undefined && payload !== undefined) received.push({ topic, payload })
      }
      const command = commands.subscribe(port, filter, qos, count)
      const program = await Background.start(command, { ready: commands.subscribed, onLine })
      return { received, ended: program.success(), stop: () => program.stop() }
    },
    async publish(port, topic, qos, payloads) {
      const program = await Background.start(commands.publish(port, topic, qos))
      program.child.stdin.end(payloads.map((payload) => `${payload}\n`).join(''))
      await program.success()
    },
  }
}
