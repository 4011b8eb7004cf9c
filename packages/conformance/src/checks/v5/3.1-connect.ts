import { encode, type PropertiesOf, reason } from '@godwit/protocol'
import { type Check, check50, type Dialogue } from '../../check.js'
import { CheckFailure } from '../../failure.js'
import { concat, field, packetBytes } from '../../raw-packets.js'
import type { ConnectOptions, Trial } from '../../trial.js'
import { flag } from '../violations.js'
import { connectBytes50, eachRefusal, expectCode, expectRefusal, refuses50 } from './refusals.js'

const illFormed = Uint8Array.of(0x61, 0xff)
const willQoS3 = flag.cleanSession | flag.will | flag.willQoS1 | flag.willQoS2
/** A will in full: no properties, topic, payload. */
const will = [Uint8Array.of(0), field('topic'), field('message')]
/** A server that is asked for another protocol may say so, or that this is none. */
const nameCodes = [reason.unsupportedProtocolVersion, reason.malformedPacket, reason.protocolError]

export const connectChecks50: readonly Check[] = [
  check50('MQTT-3.1.2-1', {
    mqtt: refuses50({ protocolName: 'mqtt' }, [], nameCodes),
    MQTTX: refuses50({ protocolName: 'MQTTX' }, [], nameCodes),
    'no name': refuses50({ protocolName: '' }, [], nameCodes),
  }),

  check50('MQTT-3.1.2-2', { 'level 2': refusesLevel(2), 'level 6': refusesLevel(6), 'level 255': refusesLevel(255) }),

  check50('MQTT-3.1.2-3', refuses50({ flags: flag.reserved }, [], [reason.malformedPacket])),

  // A server that does not mind the client id has nothing to refuse.
  check50('MQTT-3.1.3-8', {
    empty: refusesClientId(() => ''),
    'with other characters': refusesClientId((t) => `${t.clientId()}/ü +#$`),
    'with a control character': refusesClientId((t) => `${t.clientId()}\u0001`),
    'longer than 23 bytes': refusesClientId((t) => t.clientId('x'.repeat(100))),
    'the longest': refusesClientId((t) => t.clientId().padEnd(65535, 'x')),
  }),

  check50('MQTT-3.1.4-1', {
    'flags in the fixed header': refuses50({ firstByte: 0x11 }),
    'Will QoS 3': refusesBytes((id) => connectBytes50({ flags: willQoS3, payload: [id, ...will] })),
    'Will QoS without a will': refuses50({ flags: flag.willQoS1 }),
    'Will Retain without a will': refuses50({ flags: flag.willRetain }),
    'a will with no fields': refuses50({ flags: flag.will }),
    'a user name that is not there': refuses50({ flags: flag.userName }),
    'a password that is not there': refuses50({ flags: flag.userName | flag.password }, ['name']),
    'a user name without its flag': refuses50({}, ['name']),
    'an ill-formed user name': refuses50({ flags: flag.userName }, [illFormed]),
    'a property of another packet': refuses50({ properties: '03 23 0001' }),
    'a property given twice': refuses50({ properties: '06 21 0001 21 0001' }),
    'properties past the end': refuses50({ properties: '7f' }),
    'Maximum Packet Size 0': refuses50({ properties: '05 27 00000000' }),
    'no client id': refusesBytes(() => connectBytes50({ payload: [] })),
    'an ill-formed client id': refusesBytes(() => connectBytes50({ payload: [field(illFormed)] })),
    'bytes after the last field': refusesBytes((id) => connectBytes50({ payload: [id, Uint8Array.of(0xde, 0xad)] })),
    'a body that ends in the flags': refusesBytes(() => packetBytes(0x10, field('MQTT'), Uint8Array.of(5, 2))),
    'nothing but a fixed header': refusesBytes(() => Uint8Array.of(0x10, 0)),
  }),

  check50('MQTT-3.1.4-2', {
    'an authentication method nobody knows': async (t) => {
      const c = await t.open()
      c.send(t.connectPacket({ properties: { authenticationMethod: 'godwit-unknown' } }))
      await expectRefusal(c, reason.badAuthenticationMethod, reason.notAuthorized)
    },
    'a user nobody knows': async (t) => {
      const c = await t.open()
      c.send(t.connectPacket({ username: t.clientId('nobody'), password: t.clientId('guess') }))
      await c.answered()
      if ((await c.arrived('connack')).some(({ reasonCode }) => reasonCode === 0)) {
        t.skip('does not apply: the server lets any user in')
      }
      await c.expectRefused()
    },
  }),

  check50('MQTT-3.1.4-5', {
    'the plainest': accepts(() => ({})),
    'with a will': accepts((t) => ({ will: { topic: t.topic('will'), payload: '' }, keepAliveSeconds: 65535 })),
    'with every property': accepts(() => ({ properties: allProperties() })),
  }),

  // The refused CONNECT and what follows travel in one write, so that the server has them before it closes.
  check50(
    'MQTT-3.1.4-6',
    eachRefusal(async (t, refused) => {
      const topic = t.topic('a')
      const watcher = await t.subscriber(topic)
      const c = await t.open()
      const accepted = encode(t.connectPacket(), 5)
      const publish = encode(c.publishPacket(topic, 'x'), 5)
      c.sendBytes(concat(refused(t.clientId('refused')), accepted, publish))
      await c.expectRefused()
      await watcher.expectNothing()
    }),
  ),
]

/** A server may answer in the form of the version it is asked for, as far as it knows that. */
function refusesLevel(level: number): Dialogue {
  return async (t) => {
    const c = await t.open()
    c.sendBytes(connectBytes50({ level, payload: [field(t.clientId())] }))
    const came = await c.reaction({ toItsEnd: true })
    if (!/^(20020001 |20[0-9a-f]{2}0084\S* )?closed$/.test(came)) {
      throw new CheckFailure('a close, if anything after CONNACK 0x84 (1 in the form of 3.1.1)', `came ${came}`)
    }
  }
}

function refusesClientId(idOf: (t: Trial) => string): Dialogue {
  return async (t) => {
    const c = await t.open()
    c.send(t.connectPacket({ clientId: idOf(t) }))
    await c.answered()
    const [received] = c.heard()
    const connack = received?.packet?.type === 'connack' ? received.packet : undefined
    if (connack?.reasonCode === 0) t.skip('does not apply: the server takes this client id')
    // Control characters may be malformed, and what is long too much.
    const codes = [reason.clientIdentifierNotValid, reason.malformedPacket, reason.packetTooLarge]
    if (connack) expectCode('CONNACK', connack.reasonCode, codes)
    await c.expectClosed()
  }
}

function refusesBytes(bytesOf: (clientId: Uint8Array) => Uint8Array): Dialogue {
  return async (t) => {
    const c = await t.open()
    c.sendBytes(bytesOf(field(t.clientId())))
    await expectRefusal(c, reason.malformedPacket, reason.protocolError)
  }
}

function accepts(optionsOf: (t: Trial) => ConnectOptions): Dialogue {
  return async (t) => {
    const c = await t.open()
    c.send(t.connectPacket(optionsOf(t)))
    await c.expect('connack', { reasonCode: 0 })
    await c.expectOpen()
  }
}

function allProperties(): PropertiesOf<'connect'> {
  return {
    sessionExpiryInterval: 0,
    receiveMaximum: 65535,
    maximumPacketSize: 0xffff_ffff,
    topicAliasMaximum: 65535,
    requestResponseInformation: true,
    requestProblemInformation: true,
    userProperties: [
      ['a', '1'],
      ['a', '1'],
    ],
  }
}
