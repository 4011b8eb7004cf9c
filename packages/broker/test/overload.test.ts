import type { ProtocolVersion } from '@godwit/protocol'
import { describe, expect, it } from 'vitest'
import { memoryPair } from '../src/index.js'
import { VirtualClock } from '../src/testing/index.js'
import { type Rig, settled, startRig } from './rig.js'
import { connectPacket, publishPacket, TestClient } from './test-client.js'

// Return code 3 of 3.1.1, server unavailable, reads as the reason code 0x88 of 5.0 here.

/** A client from somewhere, which has said nothing yet. */
function from(rig: Rig, address: string, clientId = ''): TestClient {
  const [ours, theirs] = memoryPair()
  rig.broker.handle(theirs, { transport: 'memory', address })
  return new TestClient(ours, clientId, settled).read()
}

const greetFrom = (rig: Rig, address: string, clientId: string, version: ProtocolVersion = 4): TestClient =>
  from(rig, address, clientId).send(connectPacket(clientId, { version }))

describe('connections', () => {
  it('beyond the limit are closed without a word and counted; a place that is free again is given', async () => {
    const rig = await startRig({ limits: { maxConnections: 2 } })
    const first = await rig.connect('first')
    await rig.connect('second')
    const third = rig.greet('third')
    expect(await third.heard()).toEqual([])
    expect(third.closed).toBe(true)
    expect((await rig.broker.metrics()).refused.connections).toBe(1)
    expect((await rig.broker.metrics()).connectionsRefused).toBe(1)
    expect(rig.log).toContain('warn connection refused {"address":"test","reason":"connections"}')
    first.disconnect()
    await first.ended()
    await rig.connect('fourth')
  })

  it('from one address are bounded, of IPv6 from its /64; other addresses are not touched', async () => {
    const rig = await startRig({ limits: { maxConnectionsPerAddress: 1 } })
    for (const [address, answer] of [
      ['192.0.2.1', ['connack 0']],
      ['192.0.2.1', []],
      ['192.0.2.2', ['connack 0']],
      ['2001:db8::1', ['connack 0']],
      ['2001:db8::2', []],
      ['2001:db8:0:1::2', ['connack 0']],
    ] as const) {
      expect(await greetFrom(rig, address, address).heard(), address).toEqual(answer)
    }
    expect((await rig.broker.metrics()).refused['connections-of-address']).toBe(2)
  })

  it('from this machine are free of the bounds for addresses', async () => {
    const rig = await startRig({ limits: { maxConnectionsPerAddress: 1, maxConnectsPerSecond: 1 } })
    for (const address of ['127.0.0.1', '127.0.0.1', '::1', '::1', '', '', '::ffff:127.0.0.1']) {
      expect(await greetFrom(rig, address, '').heard()).toEqual(['connack 0'])
    }
  })
})

describe.each([
  [4, 'connack 88'],
  [5, 'connack 9f'],
] as const)('the rate of CONNECT packets, at version %i', (version, refusal) => {
  it('has room for a burst of two seconds, then for what a second brings', async () => {
    const rig = await startRig({ limits: { maxConnectsPerSecond: 2 } })
    const answers = async (count: number): Promise<string[]> => {
      const clients = Array.from({ length: count }, (_, n) => greetFrom(rig, `192.0.2.${n}`, '', version))
      return (await Promise.all(clients.map((client) => client.heard()))).flat()
    }
    const ok = 'connack 0'
    expect(await answers(5)).toEqual([ok, ok, ok, ok, refusal])
    await rig.pass(1000)
    expect(await answers(3)).toEqual([ok, ok, refusal])
    expect((await rig.broker.metrics()).refused['connect-rate']).toBe(2)
  })

  it('of one address is bounded; others come in meanwhile', async () => {
    const rig = await startRig({ limits: { maxConnectsPerSecondPerAddress: 1 } })
    const answers: string[] = []
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2']) {
      answers.push(...(await greetFrom(rig, address, '', version).heard()))
    }
    expect(answers).toEqual(['connack 0', 'connack 0', refusal, 'connack 0'])
    expect((await rig.broker.metrics()).refused['connect-rate-of-address']).toBe(1)
  })
})

it('an address that has gone and come back has not got its burst again', async () => {
  const rig = await startRig({ limits: { maxConnectsPerSecondPerAddress: 1 } })
  for (let n = 0; n < 2; n++) {
    const client = greetFrom(rig, '192.0.2.1', 'c')
    expect(await client.heard()).toEqual(['connack 0'])
    client.drop()
    await client.ended()
  }
  await rig.pass(1000)
  const answers = [await greetFrom(rig, '192.0.2.1', '').heard(), await greetFrom(rig, '192.0.2.1', '').heard()].flat()
  expect(answers).toEqual(['connack 0', 'connack 88'])
})

/** Time in which the event loop can stand still. */
class StallingClock extends VirtualClock {
  #stalled = 0

  override monotonic(): number {
    return super.monotonic() + this.#stalled
  }

  /** The next timer is this much too late. */
  stall(ms: number): void {
    this.#stalled += ms
  }
}

describe.each([
  [4, 'connack 88'],
  [5, 'connack 89'],
] as const)('an event loop that is late, at version %i', (version, refusal) => {
  async function overloaded(limits = {}) {
    const clock = new StallingClock()
    const rig = await startRig({ clock, limits: { overloadDelayMs: 500, overloadWaitMs: 3000, ...limits } })
    const present = await rig.connect('present', { keepAliveSeconds: 600 })
    present.subscribe('a')
    await present.heard()
    const stall = async (): Promise<void> => {
      clock.stall(2000)
      await rig.pass(1000)
    }
    for (let n = 0; n < 3; n++) await stall()
    return { rig, present, stall }
  }

  it('makes new clients wait while those present are served, and lets them in when it is in time again', async () => {
    const { rig, present } = await overloaded()
    const late = greetFrom(rig, '192.0.2.1', 'late', version)
    expect(await late.heard()).toEqual([])
    present.publish('a', 'x', 1)
    expect(await present.heard()).toEqual(['publish a "x"', 'puback 1'])
    for (let n = 0; n < 3; n++) await rig.pass(1000)
    expect(await late.heard()).toEqual(['connack 0'])
    expect((await rig.broker.metrics()).connectsDelayed).toBe(1)
    expect((await rig.broker.metrics()).refused.overload).toBe(0)
  })

  it('refuses who has waited long enough', async () => {
    const { rig, stall } = await overloaded()
    const late = greetFrom(rig, '192.0.2.1', 'late', version)
    expect(await late.heard()).toEqual([])
    await stall()
    await stall()
    expect(await late.heard()).toEqual([refusal])
    expect(late.closed).toBe(true)
    expect((await rig.broker.metrics()).refused.overload).toBe(1)
  })

  it('is a reason to send nobody here', async () => {
    const { rig } = await overloaded()
    const reasons = ['the broker is overloaded: its event loop is late']
    expect(await rig.broker.readiness()).toEqual({ ready: false, reasons })
    for (let n = 0; n < 3; n++) await rig.pass(1000)
    expect((await rig.broker.readiness()).ready).toBe(true)
  })

  it('refuses at once where nobody waits', async () => {
    const { rig } = await overloaded({ overloadWaitMs: 0 })
    expect(await greetFrom(rig, '192.0.2.1', 'late', version).heard()).toEqual([refusal])
  })

  it('does not matter where it may be as late as it likes', async () => {
    const { rig } = await overloaded({ overloadDelayMs: 0 })
    expect(await greetFrom(rig, '192.0.2.1', 'late', version).heard()).toEqual(['connack 0'])
  })

  it('forgets a client that has not waited', async () => {
    const { rig } = await overloaded()
    const late = greetFrom(rig, '192.0.2.1', 'late', version)
    await late.heard()
    late.drop()
    await late.ended()
    for (let n = 0; n < 5; n++) await rig.pass(1000)
    expect(rig.log.filter((line) => line.includes('connected') && line.includes('late'))).toEqual([])
  })
})

it('one pause alone is not overload', async () => {
  const clock = new StallingClock()
  const rig = await startRig({ clock, limits: { overloadDelayMs: 1000 } })
  await rig.connect('present', { keepAliveSeconds: 600 })
  clock.stall(2000)
  await rig.pass(1000)
  expect(await greetFrom(rig, '192.0.2.1', 'c').heard()).toEqual(['connack 0'])
})

describe.each([
  [4, 'connack 88'],
  [5, 'connack 97'],
] as const)('sessions, at version %i', (version, refusal) => {
  it('are bounded: who has one comes back, who would need one more is refused', async () => {
    const rig = await startRig({ limits: { maxSessions: 2 } }, version)
    const away = await rig.connect('away', rig.durable)
    away.disconnect()
    await away.ended()
    const brief = await rig.connect('brief')
    const third = rig.greet('third')
    expect(await third.heard()).toEqual([refusal])
    expect((await rig.broker.metrics()).refused.sessions).toBe(1)
    expect(await rig.greet('away', rig.durable).heard()).toEqual(['connack 0 present'])
    brief.disconnect()
    await brief.ended()
    await rig.connect('third')
  })
})

describe.each([4, 5] as const)('a client that publishes too fast, at version %i', (version) => {
  it('is read from later, loses nothing, and hinders nobody else', async () => {
    const rig = await startRig({ limits: { maxPublishesPerSecond: 10 } }, version)
    const [fast, other] = [await rig.connect('fast'), await rig.connect('other')]
    for (let n = 1; n <= 10; n++) fast.publish('a', `${n}`, 1, n)
    expect(await fast.heard()).toHaveLength(10)
    for (let n = 11; n <= 15; n++) {
      fast.publish('a', `${n}`, 1, n)
      await settled()
    }
    expect(await fast.heard()).toEqual(['puback 11'])
    other.publish('b', 'x', 1)
    expect(await other.heard()).toEqual(['puback 1'])
    await rig.pass(100)
    const later = await fast.heard()
    expect(later.length).toBeGreaterThan(0)
    await rig.pass(500)
    expect([...later, ...(await fast.heard())]).toEqual(['puback 12', 'puback 13', 'puback 14', 'puback 15'])
    expect((await rig.broker.metrics()).publishersSlowed).toBeGreaterThan(0)
    expect(fast.closed).toBe(false)
  })

  it('is slowed for its bytes too', async () => {
    const rig = await startRig({ limits: { maxPublishBytesPerSecond: 1000 } }, version)
    const client = await rig.connect('c')
    client.publish('a', 'x'.repeat(1500), 1, 1)
    expect(await client.heard()).toEqual(['puback 1'])
    client.publish('a', 'x', 1, 2)
    expect(await client.heard()).toEqual([])
    await rig.pass(499)
    expect(await client.heard()).toEqual([])
    await rig.pass(10)
    expect(await client.heard()).toEqual(['puback 2'])
  })

  it('is not ended for the silence in which it was not read', async () => {
    const rig = await startRig({ limits: { maxPublishBytesPerSecond: 100 } }, version)
    const client = await rig.connect('c', { keepAliveSeconds: 1 })
    client.publish('a', 'x'.repeat(1100), 1, 1) // ten seconds' worth
    await client.heard()
    client.send({ type: 'pingreq' })
    for (let second = 0; second < 9; second++) await rig.pass(1000)
    expect(client.closed).toBe(false)
    await rig.pass(1000)
    expect(await client.heard()).toEqual(['pingresp'])
  })
})

describe('a client that publishes too fast where that is refused', () => {
  const refusing = { publishBeyondRate: 'refuse' as const, limits: { maxPublishesPerSecond: 2 } }
  const wasDropped = async (rig: Rig): Promise<number> => (await rig.broker.metrics()).dropped['publish-rate']

  it('at 5.0 and QoS 1 and 2 is told 0x97 in the acknowledgement, and comes in again after a while', async () => {
    const rig = await startRig(refusing, 5)
    const fast = await rig.connect('fast')
    fast.subscribe('#')
    await fast.heard()
    fast.publish('a', '1', 1, 1).publish('a', '2', 1, 2).publish('a', '3', 1, 3).publish('a', '4', 2, 4)
    const refused = ' {"reasonString":"publishes faster than it may"}'
    expect(await fast.heardInFull()).toEqual([
      'publish a "1"',
      'puback 1',
      'publish a "2"',
      'puback 2',
      `puback 3 0x97${refused}`,
      `pubrec 4 0x97${refused}`,
    ])
    expect(await wasDropped(rig)).toBe(2)
    await rig.pass(1000)
    fast.publish('a', '4', 2, 4).send({ type: 'pubrel', packetId: 4 })
    expect(await fast.heard()).toEqual(['publish a "4"', 'pubrec 4', 'pubcomp 4'])
    expect((await rig.broker.metrics()).publishersSlowed).toBe(0)
  })

  it.each([
    [4, 0, []],
    [4, 1, []],
    [4, 2, []],
    [5, 0, ['disconnect 0x96 {"reasonString":"publishes faster than it may"}']],
  ] as const)('at version %i and QoS %i is disconnected', async (version, qos, last) => {
    const rig = await startRig(refusing, version)
    const [fast, other] = [await rig.connect('fast'), await rig.connect('other')]
    for (let n = 1; n <= 3; n++) fast.publish('a', 'x', qos, n)
    expect((await fast.heardInFull()).slice(qos === 0 ? 0 : 2)).toEqual(last)
    expect(fast.closed).toBe(true)
    expect(await wasDropped(rig)).toBe(1)
    expect(rig.log).toContain(
      'warn message dropped {"clientId":"fast","address":"test","reason":"publish-rate","topic":"a"}',
    )
    other.publish('a', 'x', 1)
    expect(await other.heard()).toEqual(['puback 1'])
  })

  it('is judged by its bytes too: one message may be more than a second brings, the next has to wait for it', async () => {
    const rig = await startRig({ publishBeyondRate: 'refuse', limits: { maxPublishBytesPerSecond: 1000 } }, 5)
    const client = await rig.connect('c')
    client.publish('a', 'x'.repeat(1500), 1, 1).publish('a', 'x', 1, 2)
    await client.heard()
    expect(await wasDropped(rig)).toBe(1)
    await rig.pass(400)
    client.publish('a', 'x', 1, 3)
    await client.heard()
    expect(await wasDropped(rig)).toBe(2)
    await rig.pass(200)
    client.publish('a', 'x', 1, 4)
    expect(await client.heardInFull()).toEqual(['puback 4 0x10'])
  })
})

describe.each([4, 5] as const)('a Topic Name, at version %i', (version) => {
  it('may be as long as the limit, in bytes of UTF-8', async () => {
    const rig = await startRig({ limits: { maxTopicBytes: 4 } }, version)
    const client = await rig.connect('c')
    client.publish('éé', 'x', 1)
    expect(await client.heard()).toEqual(['puback 1'])
    client.send(publishPacket('ééa', 'x', 1))
    expect(await client.heard()).toEqual(version === 5 ? ['disconnect'] : [])
    expect(client.closed).toBe(true)
  })

  it('of a will too', async () => {
    const rig = await startRig({ limits: { maxTopicBytes: 4 } }, version)
    const refused = await rig.greet('c', { will: { topic: 'abcde', payload: '' } }).heard()
    expect(refused).toEqual([version === 5 ? 'connack 90' : 'connack 87'])
    expect((await rig.broker.metrics()).refused.connect + (await rig.broker.metrics()).refused['not-authorized']).toBe(
      1,
    )
  })
})
