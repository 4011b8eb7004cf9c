import { encode } from '@godwit/protocol'
import { type Check, check, type Dialogue } from '../check.js'
import { CheckFailure } from '../failure.js'
import { concat } from '../raw-packets.js'
import { decodeUtf8 } from '../text.js'

const dialogues: Readonly<Record<string, Dialogue | Readonly<Record<string, Dialogue>>>> = {
  'MQTT-6.0.0-1': async (t) => {
    const { peer, socket } = await t.openWebSocket('mqtt')
    await peer.connect(t.connectPacket())
    await peer.expectOpen()
    // A packet without a byte above 0x7f: the frame alone is wrong.
    const publish = encode(peer.publishPacket(t.topic('a'), 'x'), t.version)
    t.note('a PUBLISH is sent in a text frame')
    socket.writeText(decodeUtf8(publish))
    await peer.expectClosed()
  },

  'MQTT-6.0.0-2': {
    'a frame for each byte': async (t) => {
      const { peer } = await t.openWebSocket('mqtt')
      for (const byte of encode(t.connectPacket(), t.version)) peer.sendBytes(Uint8Array.of(byte))
      await peer.expect('connack', { reasonCode: 0 })
      for (const byte of [0xc0, 0x00]) peer.sendBytes(Uint8Array.of(byte))
      await peer.expect('pingresp')
    },
    'one and a half packets in a frame': async (t) => {
      const { peer } = await t.openWebSocket('mqtt')
      const pingreq = Uint8Array.of(0xc0, 0x00)
      peer.sendBytes(concat(encode(t.connectPacket(), t.version), pingreq, pingreq.subarray(0, 1)))
      peer.sendBytes(concat(pingreq.subarray(1), pingreq))
      await peer.expect('connack', { reasonCode: 0 })
      for (let i = 0; i < 3; i++) await peer.expect('pingresp')
    },
  },

  'MQTT-6.0.0-4': async (t) => {
    const { peer, socket } = await t.openWebSocket('godwit-unknown', 'mqtt')
    if (socket.subprotocol !== 'mqtt') {
      throw new CheckFailure('the subprotocol mqtt to be chosen', `came "${socket.subprotocol}"`)
    }
    await peer.connect(t.connectPacket())
  },
}

/** The statements are the same in both versions. */
export function websocketChecks(version: Check['version']): readonly Check[] {
  return Object.entries(dialogues).map(([id, own]) => check(id, own, version))
}
