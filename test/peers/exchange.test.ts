import { connect } from '@godwit/client'
import type { QoS } from '@godwit/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aedes, type Broker, godwit, mosquitto, type RunningBroker } from './brokers.js'
import { godwitClient } from './godwit-client.js'
import { godwitCommand } from './godwit-command.js'
import { mosquittoClients } from './mosquitto.js'
import { mqttJs } from './mqtt-js.js'
import { needs } from './needs.js'
import { paho } from './paho.js'
import type { Peer, PeerVersion } from './peer.js'
import { playRound, type Round } from './round.js'

/** Which peers talk to each other, over which broker. */
const table: readonly { version: PeerVersion; broker: Broker; peers: readonly Peer[] }[] = [
  ...([4, 5] as const).flatMap((version) => [
    {
      version,
      broker: godwit,
      peers: [mqttJs, paho, mosquittoClients, godwitClient, godwitCommand].map((peer) => peer(version)),
    },
    { version, broker: mosquitto, peers: [godwitClient(version)] },
  ]),
  { version: 4, broker: aedes, peers: [godwitClient(4)] },
]

const payloads: readonly string[] = Array.from({ length: 100 }, (_, index) => `${index + 1}`)

const absent = new Set(table.flatMap(({ broker, peers }) => [broker, ...peers]).map(({ missing }) => missing))
absent.delete(undefined)
for (const reason of absent) console.warn(`peers: tests are skipped, because ${reason}`)

for (const { version, broker, peers } of table) {
  describe(`MQTT ${version === 5 ? '5.0' : '3.1.1'} over ${broker.name}`, () => {
    const present = peers.filter(({ missing }) => missing === undefined)
    let running: RunningBroker | undefined

    beforeAll(async () => {
      if (broker.missing === undefined) running = await broker.start()
    }, 60_000)
    afterAll(() => running?.stop())

    describe.for<QoS>([0, 1, 2])('QoS %i', (qos) => {
      let round: Round | undefined

      beforeAll(async () => {
        if (running) round = await playRound(running.port, version, present, qos, payloads)
      }, 120_000)

      for (const publisher of peers) {
        for (const subscriber of peers) {
          test(`${publisher.name} to ${subscriber.name}`, (context) => {
            needs(context, broker, publisher, subscriber)
            expect(round?.received(publisher, subscriber)).toEqual(payloads)
          })
        }
      }

      test('every peer ends in order', (context) => {
        needs(context, broker)
        expect(round?.problems).toEqual([])
      })
    })
  })
}

test('our client at 5.0 falls back to 3.1.1 where a server refuses 5.0', async (context) => {
  needs(context, aedes)
  const running = await aedes.start()
  const client = await connect(`mqtt://127.0.0.1:${running.port}`)
  expect(client.version).toBe(4)
  await client.close()
  await running.stop()
})
