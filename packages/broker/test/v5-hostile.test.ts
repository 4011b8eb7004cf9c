import { describe, expect, it } from 'vitest'
import { startRig } from './rig.js'

describe('after CONNECT at 5.0', () => {
  it.each([
    ['client-sends-connack', '2003000000', '0x82'],
    ['client-sends-suback', '900400010000', '0x82'],
    ['client-sends-pingresp', 'd000', '0x82'],
    ['connect-second', '100f00044d5154540502003c0000026831', '0x82'],
    ['varint-padded-pingreq', 'c08000', '0x81'],
    ['puback-prop-length-past-end', '400400070005', '0x81'],
    ['publish-unknown-prop', '3007000161027e0078', '0x81'],
    ['publish-prop-truncated', '30080001610302000078', '0x81'],
    ['publish-expiry-twice', '300f0001610a0200000001020000000178', '0x82'],
    ['publish-alias-unknown-empty-topic', '300700000323000178', '0x82'],
    ['publish-empty-topic-no-alias', '300400000078', '0x82'],
    ['publish-response-topic-wildcard', '300b00016106080003722f2378', '0x82'],
    ['publish-user-prop-bad-utf8', '300d000161082600026bff00017678', '0x81'],
    ['publish-user-prop-half', '3009000161042600016b78', '0x81'],
    ['subscribe-no-prop-length', '82020001', '0x81'],
    ['subscribe-sub-id-twice', '820b0001040b010b0200016100', '0x82'],
    ['subscribe-retain-handling-3', '820700010000016130', '0x82'],
    ['subscribe-qos3', '820700010000016103', '0x82'],
    ['publish-alias-0', '300700016103230000', '0x94'],
    ['pingreq-with-body', 'c00100', '0x81'],
  ])('%s', async (_, hex, reason) => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5 })
    client.sendHex(hex)
    expect((await client.heardInFull())[0]).toMatch(new RegExp(`^disconnect ${reason}`))
    expect(client.closed).toBe(true)
  })

  it.each([
    ['disconnect-bad-reason-0x05', 'e00105'],
    ['disconnect-prop-length-past-end', 'e002007f'],
  ])('%s', async (_, hex) => {
    const rig = await startRig()
    const client = await rig.connect('c', { version: 5 })
    client.sendHex(hex)
    await client.heard()
    expect(client.closed).toBe(true)
    expect((await rig.broker.metrics()).protocolErrors).toBe(1)
  })
})

describe('as the first packet', () => {
  it.each([
    ['no-prop-length', '100a00044d5154540502003c'],
    ['unknown-prop-0x7f', '101100044d5154540502003c027f0000026831'],
    ['prop-not-for-connect', '101200044d5154540502003c0323000100026831'],
    ['receive-max-0', '101200044d5154540502003c0321000000026831'],
    ['max-packet-0', '101400044d5154540502003c05270000000000026831'],
    ['max-packet-1', '101400044d5154540502003c05270000000100026831'],
    ['request-problem-2', '101100044d5154540502003c02170200026831'],
    ['auth-data-without-method', '101300044d5154540502003c041600017800026831'],
    ['will-prop-unknown', '101b00044d5154540506003c000002683105110000000100017700016d'],
    ['will-payload-format-2', '101800044d5154540506003c000002683102010200017700016d'],
  ])('connect-v5-%s', async (name, hex) => {
    const rig = await startRig()
    const client = rig.open().speak(5).sendHex(hex)
    const heard = await client.heard()
    expect(client.closed).toBe(true)
    if (name === 'max-packet-1')
      expect(heard).toEqual([]) // nothing fits [MQTT-3.1.2-24]
    else expect(heard.join()).toMatch(/^connack 8[12]$/)
  })

  it('connect-v5-user-props-1000', async () => {
    const rig = await startRig()
    const userProperties = Array.from({ length: 1000 }, () => ['k', 'v'] as const)
    await rig.connect('c', { version: 5, properties: { userProperties } })
  })
})
