import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { BrokerError, createBroker, memoryPair } from '../src/index.js'
import { settled, startRig } from './rig.js'
import { SteppedStore } from './stepped-store.js'
import { connectPacket, TestClient } from './test-client.js'

describe('publish and subscribe inside the process', () => {
  it('give a listener each message at once, with what its wildcards stand for', async () => {
    const { broker } = await startRig()
    const got: string[] = []
    broker.publish('home/attic/temp', 'old', { retain: true })
    const subscription = broker.subscribe('home/+room/#rest', ({ params, text, topic, retain, publisher }) => {
      got.push(`${topic} ${params.room} ${params.rest} ${text()} ${retain} ${JSON.stringify(publisher)}`)
    })
    broker.publish('home/kitchen/temp/1', '21', { qos: 1 })
    expect(got).toEqual(['home/attic/temp attic temp old true ""', 'home/kitchen/temp/1 kitchen temp/1 21 false ""'])
    subscription.unsubscribe()
    subscription.unsubscribe()
    broker.publish('home/kitchen/temp', 'late')
    expect(got).toHaveLength(2)
  })

  it.each<[string, string | ArrayBuffer | ArrayBufferView, number[]]>([
    ['a Uint16Array', Uint16Array.of(0x0201, 0x0403), [1, 2, 3, 4]],
    ['a Float32Array', Float32Array.of(1), [0, 0, 0x80, 0x3f]],
    ['a BigInt64Array', BigInt64Array.of(1n), [1, 0, 0, 0, 0, 0, 0, 0]],
    ['a DataView', new DataView(Uint8Array.of(1, 2, 3).buffer, 1, 2), [2, 3]],
    ['an ArrayBuffer', Uint8Array.of(1, 2).buffer, [1, 2]],
  ])('publish %s as its bytes', async (_, payload, bytes) => {
    const { broker } = await startRig()
    const got: number[][] = []
    broker.subscribe('a', (message) => got.push([...message.payload]))
    await broker.publish('a', payload)
    expect(got).toEqual([bytes])
  })

  it.each([[undefined], [null], [5], [{}], [[1]]])('refuse a payload that is none: %s', async (payload) => {
    const { broker } = await startRig()
    expect(() => broker.publish('a', payload as never)).toThrow(expect.objectContaining({ code: 'invalid-option' }))
  })

  it('can be iterated; the end of the subscription ends the iteration after what had come', async () => {
    const { broker } = await startRig()
    const subscription = broker.subscribe('+name')
    broker.publish('a', '1')
    broker.publish('b', '2')
    subscription.unsubscribe()
    broker.publish('c', '3')
    const got: string[] = []
    for await (const { params, text } of subscription) got.push(`${params.name}${text()}`)
    expect(got).toEqual(['a1', 'b2'])
  })

  it('leaving the loop ends the subscription', async () => {
    const { broker } = await startRig()
    const subscription = broker.subscribe('a')
    broker.publish('a', '1')
    for await (const message of subscription) if (message.text() === '1') break
    for (let n = 0; n < 10_005; n++) broker.publish('a', `${n}`)
    expect((await broker.metrics()).dropped['slow-listener']).toBe(0) // nobody is there to fall behind
  })

  it('counts what an iterating consumer that falls behind loses', async () => {
    const { broker } = await startRig()
    const subscription = broker.subscribe('a')
    for (let n = 0; n < 10_005; n++) broker.publish('a', `${n}`)
    expect((await broker.metrics()).dropped['slow-listener']).toBe(5)
    subscription.unsubscribe()
    let last = ''
    for await (const { text } of subscription) last = text()
    expect(last).toBe('9999')
  })

  it('reach clients, and are reached by them', async () => {
    const rig = await startRig()
    const got: string[] = []
    rig.broker.subscribe('up', ({ text, qos, publisher }) => void got.push(`${text()} ${qos} ${publisher}`))
    const client = await rig.connect('c')
    client.subscribe('down', 2).publish('up', 'x', 2, 7)
    await client.heard()
    rig.broker.publish('down', new TextEncoder().encode('bytes'), { qos: 2 })
    expect(await client.heard()).toEqual(['publish down "bytes" qos 2 id 1'])
    expect(got).toEqual(['x 2 c'])
  })

  it('takes the payload as it is when published', async () => {
    const rig = await startRig()
    const client = await rig.connect('c')
    client.subscribe('a')
    await client.heard()
    const payload = Buffer.from('before')
    rig.broker.publish('a', payload, { retain: true })
    payload.fill('x')
    expect(await client.heard()).toEqual(['publish a "before"'])
  })

  it('a listener that throws harms nobody: neither the publisher, nor other subscribers, nor a take-over', async () => {
    const rig = await startRig()
    rig.broker.subscribe('#', () => {
      throw new Error('listener failed')
    })
    const subscriber = await rig.connect('s')
    subscriber.subscribe('a')
    await subscriber.heard()
    const publisher = await rig.connect('p', { will: { topic: 'a', payload: 'will' } })
    publisher.publish('a', 'x', 1)
    expect(await publisher.heard()).toEqual(['puback 1'])
    rig.broker.publish('a', 'y')
    await rig.connect('p')
    expect(await subscriber.heard()).toEqual(['publish a "x"', 'publish a "y"', 'publish a "will"'])
    expect(rig.log.filter((line) => line.startsWith('error') && line.includes('listener failed'))).not.toHaveLength(0)
  })

  it.each(['', 'a/+', '#', '$SYS/x', 'a\0b', 'x/'.repeat(200)])('refuses to publish to %j', async (topic) => {
    const { broker } = await startRig()
    expect(() => broker.publish(topic, 'x')).toThrow(BrokerError)
    expect(() => broker.publish(topic, 'x')).toThrow(expect.objectContaining({ code: 'invalid-topic' }))
  })

  it.each(['', 'a#', '#/a', 'a+/b', '+a/+a'])('refuses to subscribe to %j', async (filter) => {
    const { broker } = await startRig()
    expect(() => broker.subscribe(filter)).toThrow(expect.objectContaining({ code: 'invalid-topic' }))
  })
})

describe('$SYS', () => {
  it('tells about the broker, retained, and again only what has changed', async () => {
    const rig = await startRig({ sysIntervalSeconds: 10 })
    const client = await rig.connect('c', { cleanStart: false })
    client.subscribe('$SYS/#')
    const all = (await client.heard()).slice(1)
    expect(all.every((line) => line.startsWith('publish $SYS/broker/') && line.endsWith('retain'))).toBe(true)
    const topics = all.map((line) => line.slice('publish $SYS/broker/'.length).replace(/ ".*/, ''))
    expect(topics).toEqual(
      expect.arrayContaining(['version', 'uptime', 'clients/connected', 'messages/received', 'bytes/sent']),
    )
    await rig.pass(10_000)
    const changed = await client.heard()
    expect(changed).toContain('publish $SYS/broker/uptime "10 seconds"')
    expect(changed).toContain('publish $SYS/broker/clients/connected "1"')
    expect(changed.some((line) => line.includes('version'))).toBe(false)
  })

  it('tells what the program around it adds, and removes what that names no more', async () => {
    let more: Readonly<Record<string, string | number>> = { 'cluster/epoch': 3, 'cluster/nodes/b/behind': 0 }
    const rig = await startRig({ sysIntervalSeconds: 10, sysTopics: () => more })
    const client = await rig.connect('c', { cleanStart: false })
    expect(await client.subscribe('$SYS/broker/cluster/#').heard()).toEqual([
      'suback 1 [0]',
      'publish $SYS/broker/cluster/epoch "3" retain',
      'publish $SYS/broker/cluster/nodes/b/behind "0" retain',
    ])
    more = { 'cluster/epoch': 4 }
    await rig.pass(10_000)
    expect(await client.heard()).toEqual(['publish $SYS/broker/cluster/epoch "4"'])
    expect(await client.subscribe('$SYS/broker/cluster/#').heard()).toEqual([
      'suback 1 [0]',
      'publish $SYS/broker/cluster/epoch "4" retain',
    ])
  })

  it('tells of load, of the most there were, and of what is kept', async () => {
    const rig = await startRig({ sysIntervalSeconds: 60 })
    const facts: Record<string, string> = {}
    rig.broker.subscribe('$SYS/broker/#name', ({ params, text }) => {
      facts[params.name] = text()
    })
    const away = await rig.connect('away', rig.durable)
    away.subscribe('a', 1).subscribe('$share/g/b', 1, 2)
    await away.heard()
    const client = await rig.connect('c')
    away.drop()
    client.publish('a', 'abc', 1, 1).publish('r', 'xy', 1, 2, true)
    await client.heard()
    await rig.pass(60_000)
    expect(facts).toMatchObject({
      'clients/connected': '1',
      'clients/maximum': '1', // as it was each time it looked
      'subscriptions/count': '2',
      'shared_subscriptions/count': '1',
      'store/messages/count': '2',
      'store/messages/bytes': '207',
      'load/connections/1min': '1.26',
      'load/publish/received/1min': '1.26',
      'load/publish/received/15min': '0.13',
    })
  })

  it("is not matched by leading wildcards, and not a client's to publish", async () => {
    const rig = await startRig({ sysIntervalSeconds: 10 })
    const client = await rig.connect('c')
    client.subscribe('#').subscribe('+/broker/#', 0, 2)
    expect(await client.heard()).toEqual(['suback 1 [0]', 'suback 2 [0]'])
    client.publish('$SYS/broker/version', 'evil', 1, 7, true).subscribe('$SYS/broker/version', 0, 8)
    const heard = await client.heard()
    expect(heard[0]).toBe('puback 7')
    expect(heard.join()).not.toContain('evil')
    expect((await rig.broker.metrics()).dropped['system-topic']).toBe(1)
  })

  it('takes no room of what clients may retain', async () => {
    const rig = await startRig({ sysIntervalSeconds: 10, limits: { maxRetainedMessages: 1 } })
    rig.broker.publish('a', 'x', { retain: true })
    await rig.pass(30_000)
    expect((await rig.broker.metrics()).dropped['retained-full']).toBe(0)
    const client = await rig.connect('c')
    client.subscribe('a').subscribe('$SYS/broker/version', 0, 2)
    expect((await client.heard()).filter((line) => line.endsWith('retain'))).toHaveLength(2)
  })
})

describe('handle', () => {
  it('serves any duplex stream, in whatever pieces its bytes come', async () => {
    const { broker } = await startRig()
    const [ours, theirs] = memoryPair()
    broker.handle(theirs)
    const client = new TestClient(ours, 'c', settled).read()
    for (const byte of Buffer.from('100e00044d5154540402003c00026831c000', 'hex')) client.sendBytes(Uint8Array.of(byte))
    expect(await client.heard()).toEqual(['connack 0', 'pingresp'])
  })

  it('forgets a stream that is over before it began', async () => {
    const { broker } = await startRig()
    const [, theirs] = memoryPair()
    theirs.destroy()
    await settled()
    broker.handle(theirs)
    await broker.close()
    expect((await broker.metrics()).connectionsAccepted).toBe(1)
  })
})

describe('listen', () => {
  it('says in one line that the port is in use, and what to do', async () => {
    const taken = createServer().listen(19_600, '127.0.0.1')
    await new Promise((resolve) => void taken.once('listening', resolve))
    const broker = await createBroker()
    const failure = await broker.listen({ port: 19_600 }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(BrokerError)
    expect(failure).toMatchObject({ code: 'listen-failed' })
    expect((failure as Error).message).toBe(
      'cannot listen on 127.0.0.1:19600: the port is in use by another program; end that program or choose another port',
    )
    await broker.close()
    taken.close()
  })

  it.each([
    [{ host: '192.0.2.1', port: 19_601, allowAnonymous: true }, 'no such address'],
    [{ port: 70_000 }, 'cannot listen on 127.0.0.1:70000'],
  ])('says what is wrong with %j', async (options, words) => {
    const broker = await createBroker()
    const failure = await broker.listen(options).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(BrokerError)
    expect((failure as Error).message).toContain(words)
    expect((failure as Error).message).not.toContain('\n')
    await broker.close()
  })
})

describe('close', () => {
  it('ends connections, subscriptions and listeners in order, once', async () => {
    const rig = await startRig()
    await rig.broker.listen({ port: 19_602 })
    const client = await rig.connect('c', { will: { topic: 'w', payload: 'x' } })
    client.subscribe('w')
    await client.heard()
    const local = rig.broker.subscribe('#')
    rig.broker.publish('w', 'last')
    const closing = rig.broker.close()
    expect(rig.broker.close()).toBe(closing)
    await closing
    expect(await client.heard()).toEqual(['publish w "last"']) // what was sent goes out
    expect(client.closed).toBe(true)
    const texts: string[] = []
    for await (const { text } of local) texts.push(text())
    expect(texts).toEqual(['last'])
    for (const call of [
      () => rig.broker.publish('a', 'x'),
      () => rig.broker.subscribe('a'),
      () => rig.broker.handle(memoryPair()[0]),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: 'closed' }))
    }
    await expect(rig.broker.listen({ port: 19_602 })).rejects.toMatchObject({ code: 'closed' })
  })

  it('settles with clients that never read, have said nothing, or wait for a hook', async () => {
    const rig = await startRig({
      hooks: [{ authenticate: ({ clientId }) => clientId !== 'waiting' || new Promise(() => {}) }],
    })
    rig.open()
    rig.greet('waiting')
    const deaf = await rig.connect('deaf')
    deaf.subscribe('a')
    await deaf.heard()
    deaf.stopReading()
    for (let n = 0; n < 100; n++) rig.broker.publish('a', new Uint8Array(100_000))
    await rig.broker.close()
  })

  it('settles while the disk takes nothing, and says what it has given up', async () => {
    const store = new SteppedStore()
    store.close = () => new Promise(() => {}) // nor does it end by itself
    const rig = await startRig({ store })
    await rig.broker.listen({ port: 19_603 })
    const client = rig.greet('c', rig.durable)
    await client.heard()
    const safe = rig.broker.publish('a', 'x', { retain: true })
    const unseen = rig.broker.publish('a', 'y', { retain: true })
    const closing = rig.broker.close()
    await rig.pass(3_000)
    await rig.pass(12_000)
    await closing
    await client.ended()
    expect(await client.heard()).toEqual([]) // its CONNACK was never safe
    await expect(safe).rejects.toMatchObject({ code: 'closed' })
    await expect(unseen).rejects.toThrow('the disk has not taken this message')
    const told = rig.log.filter((line) => line.startsWith('error'))
    expect(told).toEqual([
      'error the store did not close in time: it is left as it is {"waitedMs":12000}',
      expect.stringMatching(/^error closed before the disk had taken .* \{"clients":1,"others":2\}$/),
    ])
  })

  it('happens at the end of a block', async () => {
    const rig = await startRig()
    const client = await rig.connect('c')
    {
      await using broker = rig.broker
      broker.publish('a', 'x')
    }
    await client.ended()
  })
})

describe('a program around the broker', () => {
  it("gets the client's bytes wrong in no way: a payload kept outlives its chunk", async () => {
    const rig = await startRig()
    const client = await rig.connect('c', { cleanStart: false })
    client.subscribe('a', 1).disconnect()
    await client.heard()
    const publisher = await rig.connect('p')
    for (let n = 1; n <= 50; n++) publisher.publish('a', `message ${n}`, 1, n)
    await publisher.heard()
    const back = rig.open().send(connectPacket('c', { cleanStart: false }))
    const heard = await back.heard()
    expect(heard.slice(1)).toEqual(
      Array.from({ length: 50 }, (_, at) => `publish a "message ${at + 1}" qos 1 id ${at + 1}`),
    )
  })
})

it('listen() takes a port alone', async () => {
  await using broker = await createBroker()
  const { port } = await broker.listen(0)
  expect(port).toBeGreaterThan(0)
})
