import { describe, expect, it } from 'vitest'
import {
  type AuthenticationChainOptions,
  type Authenticator,
  authenticationChain,
  certificateIdentity,
  type Verdict,
} from '../../src/access/index.js'
import type { AuthenticationMethod, ClientCertificate } from '../../src/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import { startRig } from '../rig.js'
import { connectRequest } from './requests.js'

const saying = (verdict: Verdict | Promise<Verdict>, name = 'one'): Authenticator => ({ name, check: () => verdict })
const unreachable: Authenticator = { name: 'last', check: () => expect.unreachable() }
const passwords: Authenticator = {
  name: 'passwords',
  check: ({ password }) => (Buffer.from(password ?? '').toString() === 'right' ? 'allow' : 'deny'),
}

function chainOf(authenticators: readonly Authenticator[], options: AuthenticationChainOptions = {}) {
  const log: string[] = []
  const clock = new VirtualClock()
  const chain = authenticationChain(authenticators, {
    clock,
    log: { log: (level, text, fields) => void log.push(`${level} ${text} ${JSON.stringify(fields)}`) },
    ...options,
  })
  return { chain, clock, log }
}

describe('a chain', () => {
  it('is decided by the first that does not say "not mine", answered at once or later', async () => {
    const later = (verdict: Verdict): Authenticator => saying(Promise.resolve(verdict))
    const request = connectRequest('u', 'p')
    expect(chainOf([saying('not mine'), saying('allow'), unreachable]).chain.authenticate(request)).toBe(true)
    expect(chainOf([saying('deny'), unreachable]).chain.authenticate(request)).toBe(false)
    expect(chainOf([saying('unavailable'), unreachable]).chain.authenticate(request)).toBe('unavailable')
    expect(await chainOf([later('not mine'), later('allow'), unreachable]).chain.authenticate(request)).toBe(true)
    expect(await chainOf([later('not mine'), later('deny'), unreachable]).chain.authenticate(request)).toBe(false)
  })

  it('lets nobody in whom no link knows, and is not empty', () => {
    expect(chainOf([saying('not mine')]).chain.authenticate(connectRequest(undefined, undefined))).toBe(false)
    expect(() => authenticationChain([])).toThrow('an authentication chain needs a link')
  })

  it('lets nobody in by a link that fails', async () => {
    const fail = (): never => {
      throw new Error('boom')
    }
    const { chain, log } = chainOf([{ name: 'broken', check: fail }, unreachable])
    expect(chain.authenticate(connectRequest('u', 'p'))).toBe('unavailable')
    const rejects = chainOf([{ name: 'broken', check: async () => fail() }, unreachable])
    expect(await rejects.chain.authenticate(connectRequest('u', 'p'))).toBe('unavailable')
    expect(log).toEqual(['error broken failed {"error":"Error: boom"}'])
  })

  it('counts and tells, never a password', () => {
    const { chain, log } = chainOf([passwords])
    chain.authenticate(connectRequest('u', 'right'))
    chain.authenticate(connectRequest('u', 'wrong-secret'))
    expect(chain.counts).toMatchObject({ allowed: 1, denied: 1, unavailable: 0, backedOff: 0 })
    expect(log).toEqual([
      'warn not authenticated {"clientId":"c","username":"u","address":"192.0.2.1","by":"passwords"}',
    ])
  })

  it('reads every file again, and says when one is broken', async () => {
    const read: string[] = []
    const file = (name: string, fails = false): Authenticator => ({
      ...saying('allow', name),
      reload: async () => {
        read.push(name)
        if (fails) throw new Error(`${name} is broken`)
      },
    })
    await expect(chainOf([file('a', true), file('b'), saying('deny')]).chain.reload()).rejects.toThrow('a is broken')
    expect(read).toEqual(['a', 'b'])
  })

  it('answers the same to an unknown user and a wrong password, over the wire', async () => {
    const rig = await startRig({ hooks: [authenticationChain([passwords])] }, 5)
    const good = rig.greet('a', { username: 'u', password: 'right' })
    expect((await good.heard())[0]).toMatch(/^connack 0/)
    const bad = rig.greet('b', { username: 'u', password: 'wrong' })
    const unknown = rig.greet('c', { username: 'nobody', password: 'wrong' })
    expect(await bad.heard()).toEqual(await unknown.heard())
  })
})

describe('back-off', () => {
  const tries = (chain: ReturnType<typeof chainOf>['chain'], address: string, ...words: readonly string[]) =>
    words.map((word) => chain.authenticate(connectRequest('u', word, { address })))

  it('makes an address wait after failures, longer each time', () => {
    const { chain, clock, log } = chainOf([passwords], { backOff: { afterFailures: 2, firstMs: 1000, mostMs: 3000 } })
    expect(tries(chain, 'a', '1', '2', 'right')).toEqual([false, false, 'unavailable'])
    expect(tries(chain, 'b', 'right')).toEqual([true])
    clock.advance(1000)
    expect(tries(chain, 'a', '3', 'right')).toEqual([false, 'unavailable'])
    clock.advance(1999)
    expect(tries(chain, 'a', 'right')).toEqual(['unavailable'])
    clock.advance(1)
    expect(tries(chain, 'a', 'right', '4', 'right')).toEqual([true, false, 'unavailable'])
    clock.advance(3000)
    expect(tries(chain, 'a', 'right')).toEqual([true])
    expect(chain.counts.backedOff).toBe(4)
    const said = log.filter((line) => line.startsWith('warn too many wrong credentials'))
    expect(said.map((line) => line.slice(line.indexOf('{')))).toEqual([
      '{"address":"a","waitMs":1000}',
      '{"address":"a","waitMs":2000}',
      '{"address":"a","waitMs":3000}',
    ])
  })

  it('does not shut out the neighbours of a device with an old password', () => {
    const { chain } = chainOf([passwords], { backOff: { afterFailures: 2 } })
    expect(tries(chain, 'a', ...Array.from({ length: 50 }, () => 'old'), 'right').slice(-2)).toEqual([false, true])
  })

  it('forgets in time, and remembers only so many', () => {
    const { chain, clock } = chainOf([passwords], { backOff: { afterFailures: 2, forgetMs: 5000, mostAddresses: 2 } })
    tries(chain, 'a', '1')
    clock.advance(5000)
    expect(tries(chain, 'a', '2', 'right')).toEqual([false, true])
    tries(chain, 'b', '1')
    tries(chain, 'c', '1') // `a` goes
    expect(tries(chain, 'a', '3', 'right')).toEqual([false, true])
  })

  it('takes a network of IPv6 for one address', () => {
    const { chain } = chainOf([passwords], { backOff: { afterFailures: 2 } })
    tries(chain, '2001:db8::1', '1')
    tries(chain, '2001:db8:0:0:ffff::2', '2')
    expect(tries(chain, '2001:db8::3', 'right')).toEqual(['unavailable'])
    expect(tries(chain, '2001:db8:0:1::3', 'right')).toEqual([true])
    tries(chain, '::ffff:192.0.2.9', '1', '2')
    expect(tries(chain, '192.0.2.9', 'right')).toEqual(['unavailable'])
  })

  it('is not for clients without an address', () => {
    const { chain } = chainOf([passwords], { backOff: { afterFailures: 1 } })
    expect(tries(chain, '', '1', '2', 'right')).toEqual([false, false, true])
  })

  it('can be off', () => {
    const { chain } = chainOf([passwords], { backOff: false })
    expect(tries(chain, 'a', '1', '2', '3', '4', '5', '6', '7', 'right').at(-1)).toBe(true)
  })
})

describe('extended authentication in a chain', () => {
  /** Asks for the word, and takes `right`. */
  const word: AuthenticationMethod = () => ({
    next: (data) => {
      const said = Buffer.from(data ?? []).toString()
      if (said === '') return { outcome: 'continue' }
      return said === 'right' ? { outcome: 'admitted' } : { outcome: 'refused', admission: false }
    },
  })

  async function start(options: AuthenticationChainOptions = {}) {
    const { chain, log, clock } = chainOf([], { authenticationMethods: { WORD: word }, ...options })
    const rig = await startRig({ hooks: [chain], clock }, 5)
    const properties = (data: string) => ({ authenticationMethod: 'WORD', authenticationData: Buffer.from(data) })
    return {
      chain,
      log,
      rig,
      properties,
      tries: async (data: string) => (await rig.greet('c', { properties: properties(data) }).heard())[0],
    }
  }

  it('is slowed down too: an address that keeps failing has to wait, and is counted', async () => {
    const { tries, rig, chain, log } = await start({ backOff: { afterFailures: 2 } })
    expect([await tries('1'), await tries('2'), await tries('right')]).toEqual([
      'connack 87',
      'connack 87',
      'connack 88',
    ])
    expect(chain.counts).toMatchObject({ allowed: 0, denied: 2, backedOff: 1 })
    expect(log[0]).toBe('warn not authenticated {"clientId":"c","address":"test","by":"WORD"}')
    await rig.pass(1000)
    expect(await tries('right')).toBe('connack 0')
  })

  it('shares the back-off with passwords', async () => {
    const { chain, clock } = chainOf([passwords], {
      authenticationMethods: { WORD: word },
      backOff: { afterFailures: 1 },
    })
    const rig = await startRig({ hooks: [chain], clock }, 5)
    expect(await rig.greet('c', { username: 'u', password: 'wrong' }).heard()).toHaveLength(1)
    const properties = { authenticationMethod: 'WORD', authenticationData: Buffer.from('right') }
    expect((await rig.greet('c', { properties }).heard())[0]).toBe('connack 88')
  })

  it('does not put out who is in and shows it again for what others at its address do', async () => {
    const { tries, rig, properties } = await start({ backOff: { afterFailures: 1 } })
    const client = rig.greet('in', { properties: properties('right') })
    await client.heard()
    expect([await tries('wrong'), await tries('right')]).toEqual(['connack 87', 'connack 88'])
    client.send({ type: 'auth', reasonCode: 0x19, properties: properties('right') })
    expect(await client.heard()).toEqual(['auth'])
    client.send({ type: 'auth', reasonCode: 0x19, properties: properties('wrong') })
    expect(await client.heard()).toEqual(['disconnect'])
  })
})

describe('what lets a client in only for a time', () => {
  const start = () => {
    const ended: string[] = []
    const made = chainOf([saying('allow')], { disconnect: (clientId) => void ended.push(clientId) })
    const client = (clientId: string, afterMs: number) => {
      const { password: _, ...rest } = connectRequest('u', 'p', { clientId })
      return { ...rest, identity: { expiresAt: made.clock.now() + afterMs } }
    }
    return { ...made, ended, client }
  }

  it('ends its connection when it is over, however far that is', () => {
    const { chain, clock, ended, client } = start()
    const days = 24 * 3_600_000
    chain.onConnect?.(client('soon', 1000))
    chain.onConnect?.(client('late', 60 * days))
    clock.advance(1000)
    expect(ended).toEqual(['soon'])
    clock.advance(60 * days - 1001)
    expect(ended).toEqual(['soon'])
    clock.advance(1)
    expect(ended).toEqual(['soon', 'late'])
    expect(chain.counts.expired).toBe(2)
  })

  it('ends nobody who has gone before, nor anybody once the chain is closed', () => {
    const { chain, clock, ended, client } = start()
    const gone = client('gone', 1000)
    chain.onConnect?.(gone)
    chain.onDisconnect?.(gone, '')
    chain.onConnect?.(client('here', 1000))
    chain.close()
    clock.advance(2000)
    expect(ended).toEqual([])
  })
})

describe('certificateIdentity', () => {
  const certificate: ClientCertificate = {
    subject: 'CN=sensor-1',
    commonName: 'sensor-1',
    altNames: ['DNS:a.example', 'DNS:b.example', 'email:s@example.org'],
    fingerprint: '',
  }
  const ask = (from: 'cn' | 'san-dns' | 'san-email' | undefined, found: ClientCertificate | undefined) =>
    certificateIdentity(from ? { from } : {}).check(connectRequest('other', 'p', found ? { certificate: found } : {}))

  it.each([
    [undefined, 'sensor-1'],
    ['cn', 'sensor-1'],
    ['san-dns', 'a.example'],
    ['san-email', 's@example.org'],
  ] as const)('takes the user name from %s, whatever CONNECT says', (from, username) => {
    expect(ask(from, certificate)).toEqual({ username })
  })

  it('refuses a certificate without that name, and leaves clients without one to others', () => {
    expect(ask('cn', { ...certificate, commonName: undefined })).toBe('deny')
    expect(ask('san-dns', { ...certificate, altNames: ['email:s@example.org'] })).toBe('deny')
    expect(ask('cn', undefined)).toBe('not mine')
  })
})
