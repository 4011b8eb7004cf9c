import { expect } from 'vitest'
import { type Rig, startRig } from '../rig.js'
import type { TestClient } from '../test-client.js'
import type { ModelSession } from './session-model.js'
import { expiryOf311, lower, WorldModel } from './world-model.js'

/** What the broker says of itself when all have left for good. */
const nothingLeft = {
  '$SYS/broker/clients/connected': '0',
  '$SYS/broker/clients/disconnected': '0',
  '$SYS/broker/subscriptions/count': '0',
}

/** The broker and its clients, beside the model of them. */
export class World {
  readonly model: WorldModel = new WorldModel()
  readonly clients: Map<string, TestClient> = new Map()
  /** Answers expected beside PUBLISH and CONNACK, in any order. */
  readonly answers: Map<string, string[]> = new Map()
  readonly rig: Rig
  #packetId = 0
  /** The broker notices that they are over when it comes to them, if it does. */
  #expiredInGroup = 0
  /** What waited in queues and was over: the broker drops it before it comes to it, or when it does. */
  readonly #expiredInQueues = new Set<object>()
  readonly #takenOver: { connection: TestClient; version: 4 | 5 }[] = []

  private constructor(rig: Rig) {
    this.rig = rig
  }

  static async start(): Promise<World> {
    const limits = { sessionExpirySeconds: expiryOf311, maxSessionExpirySeconds: 0xffff_ffff }
    return new World(await startRig({ limits, sysIntervalSeconds: 3600 }))
  }

  nextPacketId(): number {
    return ++this.#packetId
  }

  answer(clientId: string, ...lines: string[]): void {
    this.answers.set(clientId, [...(this.answers.get(clientId) ?? []), ...lines])
  }

  /** Everybody leaves for good: nothing of them is left, and no will comes later. */
  async end(): Promise<void> {
    for (const clientId of this.clients.keys()) {
      const last = this.rig.greet(clientId)
      await last.heard()
      last.disconnect()
      await last.heard()
    }
    const { willsPublished } = await this.rig.broker.metrics()
    await this.rig.pass(3_600_000)
    expect((await this.rig.broker.metrics()).willsPublished, 'wills published after all have left').toBe(willsPublished)
    const facts: Record<string, string> = {}
    const decoder = new TextDecoder()
    this.rig.broker.subscribe('$SYS/#', ({ topic, payload }) => {
      facts[topic] = decoder.decode(payload)
    })
    expect(facts, 'what is left').toMatchObject(nothingLeft)
  }

  /** A new connection; what the one before it still hears is the end of it [MQTT-3.1.4-3]. */
  arrive(clientId: string, connection: TestClient): void {
    const before = this.clients.get(clientId)
    const session = this.model.sessions.get(clientId)
    if (before && session?.connected) this.#takenOver.push({ connection: before, version: session.version })
    this.clients.set(clientId, connection)
  }

  /** A client of 5.0 is told that another has come; then the connection is closed, whichever the version. */
  async #compareTakenOver(): Promise<void> {
    for (const { connection, version } of this.#takenOver.splice(0)) {
      const heard = (await connection.heardInFull()).map((line) => line.replace(/ \{.*/, ''))
      expect(heard, `the connection of ${connection.clientId} that was taken over hears`).toEqual(
        version === 5 ? ['disconnect 0x8e'] : [],
      )
      expect(connection.closed, `the connection of ${connection.clientId} that was taken over is closed`).toBe(true)
    }
  }

  /** What every client has heard since the last time is what the model says. */
  async compare(): Promise<void> {
    await this.#compareTakenOver()
    for (const [clientId, client] of this.clients) {
      const heard = (await client.heardInFull()).map(plain)
      const session = this.model.sessions.get(clientId)
      const others: string[] = []
      for (const line of heard) {
        if (session && line.startsWith('publish s ')) this.#hearShared(session, line)
        else others.push(line)
      }
      const due = [...(session?.expected ?? []).map(({ line }) => line), ...(this.answers.get(clientId) ?? [])]
      expect(byTopic(others.map(withoutId)), `what ${clientId} hears`).toEqual(byTopic(due.map(withoutId)))
      if (session) this.#takeIds(session, others)
    }
    this.answers.clear()
    this.#checkFleeting()
    this.#checkGroup()
    await this.#checkCounts()
  }

  /** A first delivery has an id that is not in use [MQTT-2.2.1-4]; a repeated one, the id it had. */
  #takeIds(session: ModelSession, heard: readonly string[]): void {
    const due = session.expected.filter(({ delivery }) => delivery)
    const untaken = heard.filter((line) => line.includes(' id '))
    for (const { line, delivery } of due) {
      // Two subscriptions replay one retained message in the same words: each line heard is one delivery's.
      const at = untaken.findIndex((other) => withoutId(other) === line)
      expect(at, `${session.clientId} hears ${line}`).toBeGreaterThanOrEqual(0)
      const [taken = ''] = untaken.splice(at, 1)
      const packetId = Number(/ id (\d+)/.exec(taken)?.[1])
      expect(session.deliveries.filter((other) => other !== delivery).map((other) => other.packetId)).not.toContain(
        packetId,
      )
      delivery!.packetId = packetId
    }
    session.expected = []
  }

  /** The broker chooses the member; that it may have the message, at that QoS, is the standard's [MQTT-4.8.2-3]. */
  #hearShared(session: ModelSession, line: string): void {
    const { group, now } = this.model
    const [, payload = '', qosText = '0', id = '0'] = /^publish s "(.*?)"(?: qos (\d) id (\d+))?/.exec(line)!
    if (line.includes(' dup')) {
      const at = session.expected.findIndex((expected) => expected.line === line)
      expect(at, `${session.clientId} hears ${line}`).toBeGreaterThanOrEqual(0)
      session.expected.splice(at, 1)
      return
    }
    const message =
      group.fleeting?.payload === payload ? group.fleeting : [...group.pending].find((m) => m.payload === payload)
    const grant = group.members.get(session)
    if (!message || !grant) return expect.fail(`${session.clientId} hears ${line}, which is not its to have`)
    expect(message.expiresAt, `${line} has not expired`).toBeGreaterThan(now)
    const qos = lower(message.qos, grant.qos)
    expect(Number(qosText), `QoS of ${line}`).toBe(qos)
    const retain = grant.retainAsPublished && message.retain
    const identifiers = grant.identifier > 0 ? [grant.identifier] : []
    const by = session.by(identifiers)
    expect(/ by [\d,]+/.exec(line)?.[0] ?? '', `identifiers of ${line}`).toBe(by)
    expect(line.includes(' retain'), `RETAIN of ${line}`).toBe(retain)
    group.pending.delete(message)
    group.fleeting = undefined
    if (qos === 0) return
    expect(session.hasRoom, `${session.clientId} has room for ${line}`).toBe(true)
    const lender = qos === 1 ? group : undefined
    session.deliveries.push({
      message,
      qos,
      retain,
      identifiers,
      state: 'sent',
      packetId: Number(id),
      group: lender,
      shared: true,
    })
  }

  /** At QoS 0 nobody gets it only if nobody is there. */
  #checkFleeting(): void {
    const { group } = this.model
    if (!group.fleeting) return
    const there = [...group.members.keys()].filter((member) => member.connected).map(({ clientId }) => clientId)
    expect(there, `members that could have ${group.fleeting.payload}`).toEqual([])
    group.fleeting = undefined
    this.model.drop('offline-qos0')
  }

  /** Nothing waits for a member while one could have it. */
  #checkGroup(): void {
    const { group, now } = this.model
    for (const message of group.pending) {
      if (message.expiresAt <= now && group.pending.delete(message)) this.#expiredInGroup++
    }
    if (group.pending.size === 0) return
    const idle = [...group.members.keys()].filter((member) => member.ready).map(({ clientId }) => clientId)
    expect(idle, `members that could have ${[...group.pending].map(({ payload }) => payload)}`).toEqual([])
  }

  async #checkCounts(): Promise<void> {
    const { willsPublished, sessionsExpired, takeovers } = await this.rig.broker.metrics()
    const { model } = this
    expect({ willsPublished, sessionsExpired, takeovers }, 'counters').toEqual({
      willsPublished: model.willsPublished,
      sessionsExpired: model.sessionsExpired,
      takeovers: model.takeovers,
    })
    for (const session of model.sessions.values()) {
      for (const delivery of session.deliveries) {
        if (delivery.state === 'waiting' && delivery.message.expiresAt <= model.now) this.#expiredInQueues.add(delivery)
      }
    }
    const { expired, ...dropped } = (await this.rig.broker.metrics()).dropped
    const { expired: known = 0, ...due } = model.dropped
    expect(Object.fromEntries(Object.entries(dropped).filter(([, count]) => count > 0)), 'dropped').toEqual(due)
    expect(expired, 'dropped as expired').toBeGreaterThanOrEqual(known)
    expect(expired, 'dropped as expired').toBeLessThanOrEqual(known + this.#expiredInGroup + this.#expiredInQueues.size)
  }
}

/** Without what the model does not predict: properties of acknowledgements, words, the order of subscription identifiers. */
function plain(line: string): string {
  const [, start = line, json] = /^(.*?)(?: (\{.*\}))?$/.exec(line)!
  if (start.startsWith('unsuback')) return start.replace(' []', '')
  if (!start.startsWith('publish')) return start
  const found = start.replace(/ by ([\d,]+)/, (_, ids: string) => ` by ${ids.split(',').sort()}`)
  const expiry = json && !start.includes(' dup') ? JSON.parse(json).messageExpiryInterval : undefined
  return expiry === undefined ? found : `${found} expiry ${expiry}`
}

/** The id of a first delivery is the broker's to choose. */
function withoutId(line: string): string {
  return line.startsWith('publish') && !line.includes(' dup') ? line.replace(/ id \d+/, '') : line
}

/** Order is promised within a topic [MQTT-4.6.0-5]; answers come when they come. */
function byTopic(lines: readonly string[]): string[] {
  const topicOf = (line: string): string => (line.startsWith('publish') ? line.split(' ', 2).join(' ') : line)
  return [...lines].sort((a, b) => (topicOf(a) < topicOf(b) ? -1 : topicOf(a) > topicOf(b) ? 1 : 0))
}
