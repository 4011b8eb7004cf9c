// What 5.0 adds: other people's clients over our broker, and ours over mosquitto.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Broker, godwit, mosquitto, type RunningBroker } from './brokers.js'
import { godwitClient, godwitRequester, godwitResponder } from './godwit-client.js'
import { godwitCommand, godwitRr } from './godwit-command.js'
import { mosquittoClients, mosquittoRr } from './mosquitto.js'
import { mqttJs, mqttJsRequester, mqttJsResponder } from './mqtt-js.js'
import { needs } from './needs.js'
import { paho, pahoRequester, pahoResponder } from './paho.js'
import type { Peer, Requester, Responder } from './peer.js'

interface Row {
  readonly broker: Broker
  readonly peers: readonly Peer[]
  readonly requesters: readonly Requester[]
  readonly responders: readonly Responder[]
}

const table: readonly Row[] = [
  {
    broker: godwit,
    peers: [mqttJs, paho, mosquittoClients, godwitClient, godwitCommand].map((peer) => peer(5)),
    requesters: [mqttJsRequester, pahoRequester, mosquittoRr, godwitRequester, godwitRr],
    responders: [mqttJsResponder, pahoResponder, godwitResponder],
  },
  {
    broker: mosquitto,
    peers: [godwitClient(5), godwitCommand(5)],
    requesters: [godwitRequester, godwitRr],
    responders: [godwitResponder],
  },
]

const publisher = godwitClient(5)

describe.for(table)('over $broker.name', ({ broker, peers, requesters, responders }) => {
  let running: RunningBroker | undefined
  let port: number
  beforeAll(async () => {
    if (broker.missing !== undefined) return
    running = await broker.start()
    port = running.port
  }, 60_000)
  afterAll(() => running?.stop())

  describe.for(responders)('a request that $name answers', (responder) => {
    test.for(requesters)('from $name', async (requester, context) => {
      needs(context, broker, responder, requester)
      const topic = `ask/${responders.indexOf(responder)}/${requesters.indexOf(requester)}`
      const listening = await responder.respond(port, topic)
      expect(await requester.request(port, topic, 'time')).toBe('re:time')
      await listening.stop()
    })
  })

  test.for(peers)('$name finds in its session what came while it was away', async (peer, context) => {
    needs(context, broker, peer)
    const topic = `kept/${peers.indexOf(peer)}`
    const session = `session-${peers.indexOf(peer)}`
    const subscribing = { port, filter: topic, qos: 1, session } as const
    await (await peer.subscribe({ ...subscribing, count: 0 })).ended
    await publisher.publish({ port, topic, qos: 1, payloads: ['one', 'two', 'three'] })
    const back = await peer.subscribe({ ...subscribing, count: 3 })
    await back.ended
    expect(back.received.map(({ payload }) => payload)).toEqual(['one', 'two', 'three'])
  })

  test('a shared subscription of all: each message goes to one, and nobody goes without', async (context) => {
    const present = peers.filter(({ missing }) => missing === undefined)
    needs(context, broker, ...(present.length > 1 ? [] : peers))
    const payloads = Array.from({ length: 100 }, (_, index) => `${index + 1}`)
    const waiting = new Set(payloads)
    let done = (): void => {}
    const all = new Promise<void>((resolve) => {
      done = resolve
    })
    const onMessage = ({ payload }: { payload: string }): void => {
      if (waiting.delete(payload) && waiting.size === 0) done()
    }
    const what = { port, filter: '$share/group/work', qos: 1, count: 1_000_000, onMessage } as const
    const members = await Promise.all(present.map((peer) => peer.subscribe(what)))
    await publisher.publish({ port, topic: 'work', qos: 1, payloads })
    await all
    const shares = members.map(({ received }) => received.map(({ payload }) => Number(payload)))
    for (const member of members) {
      member.ended.catch(() => {}) // it would have gone on
      await member.stop() // what it has not acknowledged goes to another
    }
    expect(shares.flat().sort((a, b) => a - b)).toEqual(payloads.map(Number))
    for (const share of shares) expect(share.length).toBeGreaterThan(0)
  })
})
