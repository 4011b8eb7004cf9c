import type { Packet } from '@godwit/protocol'
import { inWords } from '../../describe.js'
import { CheckFailure, CheckSkipped } from '../../failure.js'
import { type ClientCheck, clientChecks } from '../client-check.js'
import type { Connection, Heard } from '../connection.js'
import type { ClientTrial, Play } from '../play.js'
import {
  aliasing,
  aliasingNothing,
  publishingAboveMaximumQos,
  publishingLarge,
  publishingQos1,
  publishingTooLarge,
  receiveMaximumQos1,
  receiveMaximumQos2,
  retaining,
  retainingNowhere,
} from '../plays.js'

/** A client that does a thing where it may does not do it where CONNACK says no. */
function expectObeyed(may: Play<Connection>, mayNot: Play<Connection>, what: string, isIt: (one: Heard) => boolean) {
  return async (t: ClientTrial): Promise<void> => {
    if (!(await t.see(may)).heard.some(isIt)) throw new CheckSkipped(`the client sent no ${what} where it may`)
    const found = (await t.see(mayNot)).heard.find(isIt)
    if (found) throw new CheckFailure(`no ${what}`, `came ${inWords(found)}`)
  }
}

const aliasOf = ({ packet }: Heard): number => (packet?.type === 'publish' ? (packet.properties?.topicAlias ?? 0) : 0)

/** Never more than two between PUBLISH and its last acknowledgement. */
function expectWindow(story: readonly Packet[]): void {
  const inFlight = new Set<number>()
  for (const packet of story) {
    if (packet.type === 'publish' && packet.packetId !== undefined) inFlight.add(packet.packetId)
    if (packet.type === 'puback' || packet.type === 'pubcomp') inFlight.delete(packet.packetId)
    if (inFlight.size > 2) {
      throw new CheckFailure('at most 2 messages in flight, the Receive Maximum', `a third came: ${[...inFlight]}`)
    }
  }
}

async function expectWindows(t: ClientTrial): Promise<void> {
  const published = (await t.see(receiveMaximumQos1)).filter(({ type }) => type === 'publish').length
  if (published < 3) throw new CheckSkipped(`the client published ${published} messages; this takes 3`)
  expectWindow(await t.see(receiveMaximumQos1))
  expectWindow(await t.see(receiveMaximumQos2))
}

const isAboveQos0 = ({ packet }: Heard): boolean => packet?.type === 'publish' && packet.qos > 0
const isRetained = ({ packet }: Heard): boolean => packet?.type === 'publish' && packet.retain
const isLarge = ({ bytes }: Heard): boolean => bytes.length > 1000

export const limitChecks: readonly ClientCheck[] = [
  ...clientChecks({ v5: ['3.3.4-7', '4.9.0-1', '4.9.0-2'] }, expectWindows),
  ...clientChecks(
    { v5: '3.2.2-11' },
    expectObeyed(publishingQos1, publishingAboveMaximumQos, 'PUBLISH above QoS 0', isAboveQos0),
  ),
  ...clientChecks({ v5: '3.2.2-14' }, expectObeyed(retaining, retainingNowhere, 'PUBLISH with RETAIN 1', isRetained)),
  ...clientChecks(
    { v5: '3.2.2-15' },
    expectObeyed(publishingLarge, publishingTooLarge, 'packet above 1,000 bytes', isLarge),
  ),
  ...clientChecks({ v5: ['3.2.2-17', '3.3.2-9'] }, async (t) => {
    const aliases = (await t.see(aliasing)).heard.filter((one) => aliasOf(one) > 0)
    if (aliases.length === 0) throw new CheckSkipped('the client uses no topic aliases')
    const above = aliases.find((one) => aliasOf(one) > 2)
    if (above) throw new CheckFailure('topic aliases up to 2, the Topic Alias Maximum', `came ${inWords(above)}`)
  }),
  ...clientChecks(
    { v5: '3.2.2-18' },
    expectObeyed(aliasing, aliasingNothing, 'topic alias', (one) => aliasOf(one) > 0),
  ),
]
