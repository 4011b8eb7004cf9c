import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryPair } from '@godwit/broker'
import { type PluginRig, startPlugin } from '@godwit/broker/testing'
import webhook from '@godwit/plugin-webhook'
import { encode } from '@godwit/protocol'
import { Webhook } from 'standardwebhooks'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Receiver } from './receiver.js'

const secret = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`
let server: Receiver
let rig: PluginRig

beforeEach(async () => {
  server = await Receiver.open()
})
afterEach(async () => {
  await rig.stop()
  await server.down()
})

const start = async (options: object): Promise<PluginRig> => {
  rig = await startPlugin(webhook, { url: server.url, filters: ['a/#'], lingerMs: 0, ...options })
  return rig
}

describe('messages as requests', () => {
  it('go with all that is known of them', async () => {
    const { broker } = await start({ headers: { authorization: 'Bearer x' }, idPrefix: 's7:' })
    const properties = {
      contentType: 'text/plain',
      correlationData: Buffer.from([0xff]),
      userProperties: [['k', 'v']] as [string, string][],
    }
    await broker.publish('a/1', 'wörld', { qos: 1, properties })
    await server.has(1)
    await broker.publish('a/2', Buffer.from([0xff, 0]), { qos: 2 })
    await server.has(2)
    expect(server.entries).toEqual([
      {
        type: 'message',
        id: expect.stringMatching(/^s7:\w+-1$/),
        topic: 'a/1',
        payload: 'wörld',
        encoding: 'utf8',
        qos: 1,
        retain: false,
        publisher: '',
        receivedAt: expect.stringMatching(/^2\d{3}-.*Z$/),
        properties: { contentType: 'text/plain', userProperties: [['k', 'v']], correlationData: '/w==' },
      },
      expect.objectContaining({ topic: 'a/2', payload: '/wA=', encoding: 'base64', qos: 1 }),
    ])
    const [request] = server.requests
    expect(request?.headers).toMatchObject({ authorization: 'Bearer x', 'content-type': 'application/json' })
    expect(request?.headers['webhook-signature']).toBeUndefined()
  })

  it('are signed so that a library of Standard Webhooks believes them, and no changed one', async () => {
    const { broker } = await start({ secret: [secret, 'an older secret, of text'] })
    await broker.publish('a', 'x', { qos: 1 })
    await server.has(1)
    const [{ headers, body }] = server.requests as [(typeof server.requests)[number]]
    const known = headers as Record<string, string>
    expect(new Webhook(secret).verify(body, known)).toEqual({ messages: [expect.objectContaining({ payload: 'x' })] })
    expect(new Webhook(Buffer.from('an older secret, of text').toString('base64')).verify(body, known)).toBeTruthy()
    expect(() => new Webhook(secret).verify(body.replace('"x"', '"y"'), known)).toThrow('No matching signature')
  })

  it('wait while the server is away, and come in order, none missing', async () => {
    const { broker, clock, said } = await start({ maxBatchMessages: 7, firstRetryMs: 1000 })
    await broker.publish('a', '1', { qos: 1 })
    await server.has(1)
    await server.down()
    for (let n = 2; n <= 100; n++) void broker.publish('a', String(n), { qos: 1 })
    expect(await said(/messages wait/)).toMatch(/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/)
    await server.up()
    clock.advance(1000)
    await server.has(100)
    expect(server.payloads).toEqual(Array.from({ length: 100 }, (_, index) => String(index + 1)))
    expect(rig.plugin.counts()).toMatchObject({ refused: 0, failed: 1 })
  })

  it.each([500, 503, 429, 401])('are sent again after status %i', async (status) => {
    const { broker, clock, said } = await start({ firstRetryMs: 1000 })
    server.answer = () => ({ status, text: 'not\nnow' })
    await broker.publish('a', 'x', { qos: 1 })
    expect(await said(/messages wait/)).toContain(`answers ${status}: not now`)
    server.answer = () => ({ status: 200 })
    clock.advance(1000)
    await server.has(1)
  })

  it('are set aside when the server refuses them, and those beside them arrive', async () => {
    const { broker, said } = await start({ lingerMs: 1000, maxBatchMessages: 3 })
    server.answer = (body) => (body.includes('"bad"') ? { status: 422, text: 'no number' } : { status: 200 })
    for (const text of ['1', 'bad', '3']) void broker.publish('a', text, { qos: 1 })
    await server.has(2)
    expect(await said(/message refused/)).toMatch(/"topic":"a".*answers 422: no number/)
    expect(server.payloads).toEqual(['1', '3'])
  })
})

describe('events', () => {
  it('tell who comes and goes, in the order of messages, and cannot be forged', async () => {
    const { broker } = await start({ events: ['connected', 'disconnected'] })
    const [ours, theirs] = memoryPair()
    broker.handle(theirs, { transport: 'memory', address: '192.0.2.1' })
    ours.write(
      encode({ type: 'connect', version: 4, clientId: 'c', cleanStart: true, keepAliveSeconds: 0, username: 'u' }, 4),
    )
    ours.write(encode({ type: 'publish', topic: 'a', payload: Buffer.from('x'), qos: 0, retain: false, dup: false }, 4))
    const forged = { topic: '$webhook/plugin-webhook/events', payload: Buffer.from('{"event":"forged"}') }
    ours.write(encode({ type: 'publish', ...forged, qos: 0, retain: false, dup: false }, 4))
    await server.has(2)
    ours.destroy()
    await server.has(3)
    expect(server.entries).toEqual([
      expect.objectContaining({
        type: 'event',
        event: 'connected',
        clientId: 'c',
        username: 'u',
        address: '192.0.2.1',
      }),
      expect.objectContaining({ type: 'message', payload: 'x', publisher: 'c' }),
      expect.objectContaining({ type: 'event', event: 'disconnected', clientId: 'c', reason: expect.any(String) }),
    ])
  })
})

describe('options', () => {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-webhook-'))
  const file = join(folder, 'secret')
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('may have the secret in a file', async () => {
    writeFileSync(file, `${secret}\n`)
    const { broker } = await start({ secretFile: file })
    await broker.publish('a', 'x', { qos: 1 })
    await server.has(1)
    expect(
      new Webhook(secret).verify(server.requests[0]!.body, server.requests[0]!.headers as Record<string, string>),
    ).toBeTruthy()
  })

  it.each([
    [{ url: 'http://192.0.2.1/' }, /options\.url: .*use https, or say allowHttp/],
    [{ filters: [] }, /options\.filters: it needs filters, or events/],
    [{ secret: 'short' }, /a secret has 16 bytes or more/],
    [{ batch: 3 }, /Unrecognized key: "batch"/],
    [{ filters: ['a/#/b'] }, /did not start: "a\/#\/b" is not a topic filter/],
  ])('%j are refused', async (options, problem) => {
    rig = await startPlugin({ name: 'nothing' })
    await expect(startPlugin(webhook, { url: server.url, filters: ['a'], ...options })).rejects.toThrow(problem)
  })
})
