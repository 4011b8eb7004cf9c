import { type Check, check, type Dialogue } from '../check.js'

/** The connection it comes in on is closed; others live on. */
const closesThisOne =
  (hex: string): Dialogue =>
  async (t) => {
    const other = await t.connect()
    const c = await t.connect()
    c.sendHex(hex)
    await c.expectClosed()
    await other.expectOpen()
  }

export const errorChecks: readonly Check[] = [
  check('MQTT-4.8.0-1', {
    'a CONNACK from a client': closesThisOne('20 02 00 00'),
    'a SUBACK from a client': closesThisOne('90 03 0001 00'),
    'an UNSUBACK from a client': closesThisOne('b0 02 0001'),
    'a PINGRESP from a client': closesThisOne('d0 00'),
    'packet type 0': closesThisOne('00 00'),
    'packet type 15': closesThisOne('f0 00'),
    'a length that never ends': closesThisOne('30 80 80 80 80 01'),
    'PUBACK cut short': closesThisOne('40 01 00'),
    'PINGREQ with a body': closesThisOne('c0 01 00'),
  }),
]
