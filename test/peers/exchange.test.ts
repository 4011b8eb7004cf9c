import type { QoS } from '@godwit/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aedes, type Broker, godwit, mosquitto, type RunningBroker } from './brokers.js'
import { godwitClient } from './godwit-client.js'
import { godwitCommand } from './godwit-command.js'
import { mosquittoClients } from './mosquitto.js'
import { mqttJs } from './mqtt-js.js'
import { paho } from './paho.js'
import type { Peer } from './peer.js'
import { playRound, type Round } from './round.js'

/** Which peers talk to each other, over which broker. */
const table: readonly { broker: Broker; peers: readonly Peer[] }[] = [
  { broker: godwit, peers: [mqttJs, paho, mosquittoClients, godwitClient, godwitCommand] },
  { broker: mosquitto, peers: [godwitClient] },
  { broker: aedes, peers: [godwitClient] },
]

/** CI sets it: there, a missing peer is a failure. */
const required = process.env.GODWIT_REQUIRE_PEERS === '1'

const payloads: readonly string[] = Array.from({ length: 100 }, (_, index) => `${index + 1}`)

const absent = new Set(table.flatMap(({ broker, peers }) => [broker, ...peers]).map(({ missing }) => missing))
absent.delete(undefined)
for (const reason of absent) console.warn(`peers: tests are skipped, because ${reason}`)

for (const { broker, peers } of table) {
  describe(`over ${broker.name}`, () => {
    const present = peers.filter(({ missing }) => missing === undefined)
    let running: RunningBroker | undefined

    beforeAll(async () => {
      if (broker.missing === undefined) running = await broker.start()
    }, 60_000)
    afterAll(() => running?.stop())

    describe.for<QoS>([0, 1, 2])('QoS %i', (qos) => {
      let round: Round | undefined

      beforeAll(async () => {
        if (running) round = await playRound(running.port, present, qos, payloads)
      }, 120_000)

      for (const publisher of peers) {
        for (const subscriber of peers) {
          test(`${publisher.name} to ${subscriber.name}`, ({ skip }) => {
            const reason = broker.missing ?? publisher.missing ?? subscriber.missing
            if (reason !== undefined && !required) skip(reason)
            expect(reason).toBeUndefined()
            expect(round?.received(publisher, subscriber)).toEqual(payloads)
          })
        }
      }

      test('every peer ends in order', ({ skip }) => {
        if (broker.missing !== undefined && !required) skip(broker.missing)
        expect(round?.problems).toEqual([])
      })
    })
  })
}
