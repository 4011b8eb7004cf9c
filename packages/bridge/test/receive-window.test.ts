// How many messages the other broker may have on its way to a bridge.
import { Decoder } from '@godwit/protocol'
import { expect, test } from 'vitest'
import type { BridgeOptions } from '../src/index.js'
import { bridged, side, until, Wire } from './rig.js'

/** What a bridge announces in each CONNECT. */
async function announced(
  options: Partial<BridgeOptions> & Pick<BridgeOptions, 'topics'>,
  isGodwit = true,
): Promise<unknown[]> {
  const [near, far] = [await side(), await side()]
  const wire = new Wire(far.broker)
  const found: unknown[] = []
  const openStream: Wire['openStream'] = (...given) => {
    const decoder = new Decoder({ version: 5 })
    const stream = wire.openStream(...given)
    const write = (bytes: Uint8Array): boolean => {
      decoder.push(bytes)
      for (let packet = decoder.next(); packet; packet = decoder.next()) {
        if (packet.type === 'connect') found.push(packet.properties?.receiveMaximum ?? 65_535)
      }
      return stream.write(isGodwit ? bytes : withoutQuestion(bytes))
    }
    return { ...stream, write }
  }
  const { bridge, log } = await bridged(near, far, { state: false, openStream, ...options })
  await until(() => bridge.view.connected)
  expect([bridge.view.connections, log.filter((line) => line.startsWith('warn'))]).toEqual([1, []])
  return found
}

/** The same packets, in which nobody asks who the other broker is: so it answers as one of another make. */
function withoutQuestion(bytes: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replace('godwit-broker', 'another-broke'), 'latin1')
}

const qos2: BridgeOptions['topics'] = [{ filter: '#', direction: 'in', qos: 2 }]

test('20 at QoS 2 where it is no Godwit: after a restart mosquitto knows of no more what was acknowledged', async () => {
  expect(await announced({ topics: qos2 }, false)).toEqual([20])
})

test('a Godwit is connected to once more, with as many as there are', async () => {
  expect(await announced({ topics: qos2 })).toEqual([20, 65_535])
})

test.each([
  ['at QoS 1', { topics: [{ filter: '#', direction: 'in', qos: 1 }] }, 65_535],
  ['out alone', { topics: [{ filter: '#', direction: 'out', qos: 2 }] }, 65_535],
  ['as the options say', { topics: qos2, receiveMaximum: 300 }, 300],
] as const)('%s it is as ever, whatever the other broker is', async (_, options, most) => {
  expect([await announced(options), await announced(options, false)]).toEqual([[most], [most]])
})
