// What the server does during one start of the client; the checks judge what came of it.
import { encodeUtf8, type Packet, type PacketOf, type PropertiesOf } from '@godwit/protocol'
import { CheckSkipped } from '../failure.js'
import type { Connection, Manners } from './connection.js'
import { polite, without } from './manners.js'
import type { Play } from './play.js'
import type { Scenario } from './scenario.js'
import { patienceMs, type Stage } from './stage.js'

/** Nothing more is believed to come after this much silence. */
const quietMs = 300

/** Two connections of one session: what was under way when the first was dropped goes on in the second. */
export interface Resumed {
  readonly before: Connection
  readonly after: Connection
}

/** The client connects, and leaves when it likes. */
export const connecting: Play<Connection> = {
  scenario: 'connect',
  run: async (stage) => {
    const connection = await stage.connection()
    if (!connection) throw new CheckSkipped(`the client did not connect: ${stage.absence}`)
    const first = await connection.until(() => connection.heard[0], patienceMs)
    connection.behave(polite)
    if (first?.packet?.type === 'connect') connection.accept(false)
    await connection.until(() => connection.packets('disconnect')[0], patienceMs / 2)
    await connection.quiet(quietMs)
    return connection
  },
}

/** The client has nothing to say for three times its Keep Alive. */
export const idling: Play<Connection> = { scenario: 'idle', run: (stage) => idle(stage) }

/** As `idling`, but that CONNACK asks for a shorter Keep Alive than the client's. */
export const idlingAsTold: Play<Connection> = {
  scenario: 'subscribe',
  run: (stage) => idle(stage, { serverKeepAlive: 1 }),
}

export const publishingQos1: Play<Connection> = publishing('publish-1', 1)
export const publishingQos2: Play<Connection> = publishing('publish-2', 2)

/** No PUBACK comes before the connection is lost. */
export const cutBeforePuback: Play<Resumed> = cut('publish-1', 1, without('puback'))
/** No PUBREC comes before the connection is lost. */
export const cutBeforePubrec: Play<Resumed> = cut('publish-2', 2, without('pubrec'))
/** PUBREC has come, PUBCOMP has not, when the connection is lost. */
export const cutBeforePubcomp: Play<Resumed> = cut('publish-2', 2, without('pubcomp'))

/** The first PUBLISH is refused (0x97), the others are not answered, the connection is lost (5.0). */
export const cutAfterRefusal: Play<Resumed> = {
  scenario: 'publish-1',
  run: (stage) => {
    let refused = false
    return cutOff(stage, 1, (packet) => {
      if (packet.type !== 'publish' || packet.packetId === undefined || refused) return without('puback')(packet)
      refused = true
      return [{ type: 'puback', packetId: packet.packetId, reasonCode: 0x97 }]
    })
  },
}

/** CONNACK has Receive Maximum 2, and each acknowledgement takes a while (5.0). */
const receiveMaximum = (scenario: Scenario, qos: 1 | 2): Play<readonly Packet[]> => ({
  scenario,
  run: async (stage) => {
    const story: Packet[] = []
    const connection = await stage.accept({
      properties: { receiveMaximum: 2 },
      manners: (packet) => {
        story.push(packet)
        const replies = polite(packet)
        setTimeout(() => {
          if (connection.end !== 'open') return
          story.push(...replies)
          connection.send(...replies)
        }, 50)
        return []
      },
    })
    await published(connection, qos)
    await connection.quiet(quietMs)
    return story
  },
})

export const receiveMaximumQos1: Play<readonly Packet[]> = receiveMaximum('publish-1', 1)
export const receiveMaximumQos2: Play<readonly Packet[]> = receiveMaximum('publish-2', 2)

/** What a client does with and without a limit that CONNACK sets (5.0). */
export const retaining: Play<Connection> = free('publish-retained')
export const retainingNowhere: Play<Connection> = free('publish-retained', { retainAvailable: false })
export const publishingLarge: Play<Connection> = free('publish-large')
export const publishingTooLarge: Play<Connection> = free('publish-large', { maximumPacketSize: 1000 })
export const publishingAboveMaximumQos: Play<Connection> = free('publish-1', { maximumQos: 0 })
export const aliasing: Play<Connection> = free('publish-alias', { topicAliasMaximum: 2 })
export const aliasingNothing: Play<Connection> = free('publish-alias')

/** The client subscribes and gets messages at QoS 0, 1 and 2; one of QoS 2 comes twice before its PUBREL. */
export const receiving: Play<Connection> = {
  scenario: 'subscribe',
  run: async (stage) => {
    const { connection, topic } = await subscribed(stage, without('pubrel'))
    connection.send(...[11, 12, 13].map((packetId) => message(topic, 1, packetId)))
    connection.send(...[21, 22].map((packetId) => message(topic, 2, packetId)), message(topic, 0))
    await connection.quiet(quietMs)
    connection.send({ ...message(topic, 2, 21), dup: true })
    await connection.quiet(quietMs)
    connection.send({ type: 'pubrel', packetId: 21 }, { type: 'pubrel', packetId: 22 })
    await connection.quiet(quietMs)
    connection.send({ ...message(topic, 1, 11), dup: true }, message(topic, 2, 21))
    await connection.quiet(quietMs)
    connection.send({ ...message(topic, 0), payload: encodeUtf8('end') })
    await connection.quiet(quietMs)
    return connection
  },
}

/** A client that has subscribed gets these bytes. */
export function hearing(bytes: Uint8Array | string): Play<Connection> {
  return {
    scenario: 'subscribe',
    run: async (stage) => {
      const { connection } = await subscribed(stage)
      connection.sendBytes(bytes)
      await connection.until(() => undefined, patienceMs / 2)
      return connection
    },
  }
}

/** A CONNECT gets this CONNACK. */
export function answering(scenario: Scenario, connack: Omit<PacketOf<'connack'>, 'type'>): Play<Connection> {
  return {
    scenario,
    run: async (stage) => {
      const connection = await stage.connect()
      connection.behave(polite)
      connection.send({ type: 'connack', ...connack })
      await connection.until(() => undefined, patienceMs / 2)
      return connection
    },
  }
}

async function idle(stage: Stage, properties?: PropertiesOf<'connack'>): Promise<Connection> {
  const connection = await stage.accept({ ...(properties && { properties }) })
  const keepAlive = properties?.serverKeepAlive ?? connection.packets('connect')[0]?.keepAliveSeconds ?? 0
  if (keepAlive === 0) throw new CheckSkipped('the client turned Keep Alive off')
  if (keepAlive > 2) throw new CheckSkipped(`the client's Keep Alive is ${keepAlive} s; this takes 1 or 2`)
  await connection.until(() => undefined, 3000 * keepAlive)
  return connection
}

function publishing(scenario: Scenario, qos: 1 | 2): Play<Connection> {
  return {
    scenario,
    run: async (stage) => {
      const connection = await stage.accept()
      await published(connection, qos)
      await connection.quiet(quietMs)
      return connection
    },
  }
}

function cut(scenario: Scenario, qos: 1 | 2, manners: Manners): Play<Resumed> {
  return { scenario, run: (stage) => cutOff(stage, qos, manners) }
}

async function cutOff(stage: Stage, qos: 1 | 2, manners: Manners): Promise<Resumed> {
  const before = await stage.accept({ manners })
  await published(before, qos)
  await before.quiet(quietMs)
  before.drop()
  const after = await stage.resume()
  await after.until(() => after.packets('disconnect')[0], 1500)
  await after.quiet(quietMs)
  return { before, after }
}

function free(scenario: Scenario, properties?: PropertiesOf<'connack'>): Play<Connection> {
  return {
    scenario,
    run: async (stage) => {
      const connection = await stage.accept({ ...(properties && { properties }) })
      await connection.until(() => connection.packets('disconnect')[0], 1500)
      await connection.quiet(quietMs)
      return connection
    },
  }
}

async function published(connection: Connection, qos: 1 | 2): Promise<void> {
  const what = `published nothing at QoS ${qos}`
  await firstOf(connection, what, () => connection.packets('publish').find((one) => one.qos === qos))
}

/** The dialogue ends when the client does not do what it is about, or does it in bytes that are no packet. */
async function firstOf<T>(connection: Connection, lack: string, look: () => T | undefined): Promise<T> {
  const isOver = (): boolean => connection.heard.some(({ problem }) => problem !== undefined)
  const first = await connection.until(() => look() ?? (isOver() || undefined), patienceMs)
  const found = look()
  if (found !== undefined) return found
  const when = first ? 'that can be read' : connection.end === 'open' ? `within ${patienceMs / 1000} s` : 'and left'
  throw new CheckSkipped(`the client ${lack} ${when}`)
}

/** A client that has subscribed, and a topic that its first filter matches. */
async function subscribed(stage: Stage, manners: Manners = polite): Promise<{ connection: Connection; topic: string }> {
  const connection = await stage.accept({ manners })
  const subscribe = await firstOf(connection, 'did not subscribe', () => connection.packets('subscribe')[0])
  const filter = subscribe.subscriptions[0]?.filter ?? 'conform'
  const topic = filter.replace(/^\$share\/[^/]+\//, '').replaceAll(/[+#]/g, 'x')
  return { connection, topic }
}

function message(topic: string, qos: 0 | 1 | 2, packetId?: number): PacketOf<'publish'> {
  return { type: 'publish', topic, payload: encodeUtf8('hi'), qos, retain: false, dup: false, packetId }
}
