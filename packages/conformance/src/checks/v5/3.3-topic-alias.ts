import { type PacketOf, reason } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import type { Peer } from '../../peer.js'
import type { Trial } from '../../trial.js'
import { unlessEnded } from '../expectations.js'
import { needing, offerOf } from './offer.js'
import { expectDisconnected } from './refusals.js'

export const topicAliasChecks50: readonly Check[] = [
  check50('MQTT-3.3.2-7', {
    "the client's": async (t) => {
      await highestAlias(t)
      const topic = t.topic('a')
      const watcher = await t.subscriber(topic)
      const session = { clientId: t.clientId('s'), cleanStart: false }
      const first = await t.connect(session)
      first.sendPublish(topic, 'with its name', { properties: { topicAlias: 1 } })
      await watcher.expectPublish({ topic, payload: 'with its name' })
      await first.drop()
      const second = await t.connect(session)
      second.sendPublish('', 'with an alias of the last connection', { properties: { topicAlias: 1 } })
      await expectDisconnected(second, reason.protocolError, reason.topicAliasInvalid)
      await watcher.expectNothing()
    },
    "the server's": needing({ qos: 1, sessions: true }, async (t) => {
      const properties = { sessionExpiryInterval: 3600, topicAliasMaximum: 10 }
      const session = { clientId: t.clientId('s'), cleanStart: false, properties }
      const publisher = await t.connect()
      const first = await t.subscriber(t.topic('a'), 1, session)
      for (const payload of ['1', '2', '3']) await publisher.publish(t.topic('a'), payload, { qos: 1 })
      await readAliases(t, first, 10)
      await first.drop()
      const second = await t.connect(session)
      for (const payload of ['4', '5', '6']) await publisher.publish(t.topic('a'), payload, { qos: 1 })
      await readAliases(t, second, 10)
    }),
  }),

  check50('MQTT-3.3.2-11', {
    'of 2': aliasesWithin(2),
    'of 65,535': aliasesWithin(65535),
    'none, for a session that had 10': needing({ qos: 1, sessions: true }, aliasesWithinAfterResumption(10, 0)),
  }),

  check50('MQTT-3.3.2-12', async (t) => {
    const highest = await highestAlias(t)
    const aliases = new Set([1, Math.ceil(highest / 2), highest, ...Array(Math.min(highest, 40)).keys()])
    aliases.delete(0)
    const topics = [...aliases].map((alias) => [alias, t.topic(`alias-${alias}`)] as const)
    const subscriber = await t.connect()
    for (const [, topic] of topics) await subscriber.subscribe(topic)
    const c = await t.connect()
    for (const [topicAlias, topic] of topics) {
      c.sendPublish(topic, 'by name', { properties: { topicAlias } })
      await unlessEnded(c, subscriber.expectPublish({ topic, payload: 'by name' }))
    }
    for (const [topicAlias, topic] of topics) {
      c.sendPublish('', 'by alias', { properties: { topicAlias } })
      await unlessEnded(c, subscriber.expectPublish({ topic, payload: 'by alias' }))
    }
    await c.expectOpen()
  }),
]

/** The server's Topic Alias Maximum. */
async function highestAlias(t: Trial): Promise<number> {
  const { topicAliasMaximum = 0 } = await offerOf(t)
  if (topicAliasMaximum === 0) t.skip('does not apply: the server takes no Topic Alias')
  return topicAliasMaximum
}

/** Messages of many topics reach a client with this Topic Alias Maximum under aliases that go no further. */
export function aliasesWithin(topicAliasMaximum: number | undefined): Dialogue {
  return async (t) => {
    const topics = Array.from({ length: 12 }, (_, i) => t.topic(`${i}`))
    const c = await t.connect({ properties: topicAliasMaximum === undefined ? {} : { topicAliasMaximum } })
    for (const topic of topics) await c.subscribe(topic)
    const publisher = await t.connect()
    for (let round = 0; round < 3; round++) for (const topic of topics) publisher.sendPublish(topic, topic)
    const names = await readAliases(t, c, topicAliasMaximum ?? 0)
    if (names.length !== 36) throw new CheckFailure('36 messages', `came ${names.length}`)
  }
}

export function aliasesWithinAfterResumption(earlierMaximum: number, topicAliasMaximum: number): Dialogue {
  return async (t) => {
    const session = { clientId: t.clientId('s'), cleanStart: false }
    const topics = [t.topic('a'), t.topic('b'), t.topic('c')]
    const publisher = await t.connect()
    const publish = async (): Promise<void> => {
      for (const topic of [...topics, ...topics]) await publisher.publish(topic, topic, { qos: 1 })
    }
    const properties = (maximum: number) => ({ sessionExpiryInterval: 3600, topicAliasMaximum: maximum })
    const first = await t.connect({ ...session, properties: properties(earlierMaximum) })
    for (const topic of topics) await first.subscribe(topic, 1)
    await publish()
    await readAliases(t, first, earlierMaximum)
    await first.drop()
    await publish()
    const second = await t.connect({ ...session, properties: properties(topicAliasMaximum) })
    await publish()
    await readAliases(t, second, topicAliasMaximum)
  }
}

/** Takes and acknowledges what comes, which must name its topic, or an alias of this connection; gives the topics. */
async function readAliases(t: Trial, c: Peer, maximum: number): Promise<readonly string[]> {
  const names = new Map<number, string>()
  const topics: string[] = []
  await t.settled()
  for (let batch = await c.arrived('publish'); batch.length > 0; batch = await c.arrived('publish')) {
    for (const publish of batch) {
      topics.push(topicOf(publish, names, maximum))
      await c.acknowledge(publish)
    }
  }
  return topics
}

function topicOf({ topic, properties }: PacketOf<'publish'>, names: Map<number, string>, maximum: number): string {
  const alias = properties?.topicAlias
  if (alias !== undefined && alias > maximum) {
    throw new CheckFailure(`aliases up to ${maximum}`, `came ${alias} for ${topic || 'an empty topic name'}`)
  }
  if (alias !== undefined && topic !== '') names.set(alias, topic)
  const name = topic || names.get(alias ?? 0)
  if (name === undefined) throw new CheckFailure('a topic name', `came alias ${alias}, unknown on this connection`)
  return name
}
