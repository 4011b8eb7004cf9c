import { type Check, check } from '../check.js'
import { CheckFailure } from '../failure.js'
import { connectBytes, field } from '../raw-packets.js'
import { flag } from './violations.js'

export const connectChecks: readonly Check[] = [
  check('MQTT-3.1.0-1', {
    'PINGREQ first': async (t) => {
      const c = await t.open()
      c.send({ type: 'pingreq' })
      await c.expectClosed()
    },
    'PUBLISH first': async (t) => {
      const topic = t.topic('a')
      const subscriber = await t.subscriber(topic)
      const c = await t.open()
      c.sendPublish(topic, 'x')
      await c.expectClosed()
      await subscriber.expectNothing()
    },
  }),

  check('MQTT-3.1.0-2', async (t) => {
    const connect = t.connectPacket()
    const c = await t.open()
    await c.connect(connect)
    c.send(connect)
    await c.expectClosed()
  }),

  // A server may know another protocol of that name, so that only going on in the terms of 3.1.1 is wrong.
  check('MQTT-3.1.2-1', {
    MQTX: async (t) => {
      const c = await t.open()
      c.sendBytes(connectBytes({ protocolName: 'MQTX', payload: [field(t.clientId())] }))
      c.send({ type: 'pingreq' })
      const accepted = (await c.arrived('connack')).some(({ reasonCode }) => reasonCode === 0)
      const answered = (await c.arrived('pingresp')).length > 0
      if (accepted || answered) throw new CheckFailure('anything but MQTT 3.1.1', 'the server went on')
    },
    'mqtt in lower case': async (t) => {
      const c = await t.open()
      c.sendBytes(connectBytes({ protocolName: 'mqtt', payload: [field(t.clientId())] }))
      await c.expectRefused()
    },
  }),

  check('MQTT-3.1.2-2', {
    'level 2': async (t) => {
      const c = await t.open()
      c.sendBytes(connectBytes({ level: 2, payload: [field(t.clientId())] }))
      await c.expectHex('20 02 00 01')
      await c.expectClosed()
    },
    // A server of a later version may answer in that version's form.
    'level 6': async (t) => {
      const c = await t.open()
      c.sendBytes(connectBytes({ level: 6, payload: [field(t.clientId())] }))
      await c.expectHex('20 02 00 01', '20 03 00 84 00')
      await c.expectClosed()
    },
  }),

  check('MQTT-3.1.2-3', async (t) => {
    const c = await t.open()
    c.sendBytes(connectBytes({ flags: flag.cleanSession | flag.reserved, payload: [field(t.clientId())] }))
    await c.expectRefused()
  }),
]
