import type { PropertiesOf } from '@godwit/protocol'
import type { Dialogue } from '../../check.js'
import type { Received } from '../../framer.js'
import type { Peer } from '../../peer.js'
import { fromHex } from '../../raw-packets.js'
import type { Trial } from '../../trial.js'

interface Cause {
  /** Default 300. */
  readonly keepAliveSeconds?: number
  bring(t: Trial, c: Peer, clientId: string): unknown
}

/** Bytes that end the connection, and in the same write a PINGREQ that nobody answers any more. */
const wrong = (hex: string): Cause => ({ bring: (_, c) => c.sendBytes(fromHex(`${hex} c000`)) })

/** What makes a server end the connection of a client that is in. */
const causes: Readonly<Record<string, Cause>> = {
  'a malformed packet': wrong('82 07 0001 00 0001 61 40'), // reserved subscription options
  'a packet only servers send': wrong('90 04 0001 00 00'),
  'a Topic Alias that stands for nothing': wrong('30 07 0000 03 230001 78'),
  'a second CONNECT': wrong('10 0f 0004 4d515454 05 02 003c 00 0002 6831'),
  'a take-over': { bring: (t, _, clientId) => t.connect({ clientId }) },
  'no sign of life': { keepAliveSeconds: 1, bring: (t) => t.sleep(4000) },
}

/** A connection that the server has ended, and what it said before. */
export interface Ended {
  readonly c: Peer
  readonly heard: readonly Received[]
  /** Undefined: the server only closed. */
  readonly disconnect: Received | undefined
}

type Provoke = (t: Trial, properties?: PropertiesOf<'connect'>) => Promise<Ended>

/** The dialogue, once for each thing that makes a server end a connection. */
export function eachEnding(
  dialogue: (t: Trial, provoke: Provoke) => Promise<void>,
): Readonly<Record<string, Dialogue>> {
  return Object.fromEntries(
    Object.entries(causes).map(([name, cause]) => [
      name,
      (t: Trial) => dialogue(t, (_, properties) => end(t, cause, properties)),
    ]),
  )
}

/** As `eachEnding`, where the server says why. */
export function eachDisconnect(
  dialogue: (t: Trial, disconnect: Received, ended: Ended) => unknown,
): Readonly<Record<string, Dialogue>> {
  return eachEnding(async (t, provoke) => {
    const ended = await provoke(t)
    if (!ended.disconnect) return t.skip('does not apply: the server closes without a DISCONNECT')
    await dialogue(t, ended.disconnect, ended)
  })
}

async function end(t: Trial, cause: Cause, properties?: PropertiesOf<'connect'>): Promise<Ended> {
  const clientId = t.clientId('ended')
  const { keepAliveSeconds = 300 } = cause
  const c = await t.connect({ clientId, keepAliveSeconds, ...(properties && { properties }) })
  await cause.bring(t, c, clientId)
  await t.settled()
  const heard = c.heard()
  // Bytes that are no packet may be a DISCONNECT with a code that is not its own.
  const disconnect = heard.find(({ packet, bytes }) => packet?.type === 'disconnect' || (!packet && bytes[0] === 0xe0))
  return { c, heard, disconnect }
}
