import { Background } from '../../scripts/background.mjs'
import type { Peer, Publishing, Received, Requester, Responder, Subscribing } from './peer.js'

/** How a program is told to subscribe and to publish. */
export interface Commands {
  readonly name: string
  readonly missing: string | undefined
  /** Prints `message TOPIC PAYLOAD EXPIRY USER-PROPERTIES` for each message, each at once. */
  subscribe(what: Subscribing): readonly string[]
  /** What the subscriber prints when the SUBACK has come. */
  readonly subscribed: RegExp
  /** Publishes each line of its standard input, and ends with it. */
  publish(what: Publishing): readonly string[]
}

/** A peer that is a pair of commands. */
export function commandPeer(commands: Commands): Peer {
  return {
    name: commands.name,
    missing: commands.missing,
    async subscribe(what) {
      const received: Received[] = []
      const onLine = (line: string): void => {
        const message = messageOf(line)
        if (message === undefined) return
        received.push(message)
        what.onMessage?.(message)
      }
      // A kept session may deliver, and the subscriber have enough, before the SUBACK.
      const ready =
        what.session === undefined ? commands.subscribed : new RegExp(`${commands.subscribed.source}|^message `, 'm')
      const program = await Background.start(commands.subscribe(what), { ready, onLine })
      return { received, ended: program.success(), stop: () => program.stop() }
    },
    async publish(what) {
      const program = await Background.start(commands.publish(what))
      program.child.stdin.end(what.payloads.map((payload) => `${payload}\n`).join(''))
      await program.success()
    },
  }
}

/** The message a subscriber's line tells of. */
function messageOf(line: string): Received | undefined {
  const [, topic, payload, expiry, userProperties = ''] = /^message (\S+) (\S*) (\d*) ?(.*)$/.exec(line) ?? []
  if (topic === undefined || payload === undefined) return undefined
  return { topic, payload, expiry: expiry ? Number(expiry) : undefined, userProperties }
}

/** A requester that is a command, which prints the response as `response PAYLOAD`. */
export function commandRequester(
  name: string,
  missing: string | undefined,
  command: (port: number, topic: string, payload: string) => readonly string[],
): Requester {
  return {
    name,
    missing,
    async request(port, topic, payload) {
      const program = await Background.start(command(port, topic, payload))
      await program.success()
      return /^response (.*)$/m.exec(program.output)?.[1] ?? `no response: ${program.output}`
    },
  }
}

/** A responder that is a command, which prints SUBACK when it listens. */
export function commandResponder(
  name: string,
  missing: string | undefined,
  command: (port: number, topic: string) => readonly string[],
): Responder {
  return { name, missing, respond: (port, topic) => Background.start(command(port, topic), { ready: /SUBACK/ }) }
}
