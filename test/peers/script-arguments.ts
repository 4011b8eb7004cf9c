import { expirySeconds, type PeerVersion, type Publishing, type Subscribing, userProperties } from './peer.js'

/**
 * The command lines of our scripts around other people's libraries (`mqtt-js-peer.mjs`, `paho-peer.py`): what is to be
 * done, and all about it as JSON.
 */
export const scriptArguments = {
  peer: (
    program: readonly string[],
    version: PeerVersion,
  ): { subscribe(what: Subscribing): string[]; publish(what: Publishing): string[] } => ({
    subscribe: ({ port, filter, qos, count, session = null }) => [
      ...program,
      'subscribe',
      JSON.stringify({ version, port, filter, qos, count, session }),
    ],
    publish: ({ port, topic, qos }) => [
      ...program,
      'publish',
      JSON.stringify({ version, port, topic, qos, expirySeconds, userProperties }),
    ],
  }),
  request:
    (program: readonly string[]) =>
    (port: number, topic: string, payload: string): string[] => [
      ...program,
      'request',
      JSON.stringify({ version: 5, port, topic, payload }),
    ],
  respond:
    (program: readonly string[]) =>
    (port: number, topic: string): string[] => [...program, 'respond', JSON.stringify({ version: 5, port, topic })],
}
