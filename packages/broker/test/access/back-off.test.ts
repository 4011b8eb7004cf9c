import { describe, expect, it } from 'vitest'
import type { AuthenticationChain, AuthenticationChainOptions, Verdict } from '../../src/access/index.js'
import type { AuthenticateRequest, AuthenticationMethod } from '../../src/index.js'
import { settled, startRig } from '../rig.js'
import { chainOf, passwords } from './chains.js'
import { connectRequest } from './requests.js'

describe('back-off', () => {
  const tries = (chain: AuthenticationChain, address: string, ...words: readonly string[]) =>
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

  /** An authenticator whose verdicts come when the test says so, in the order they were asked for. */
  function slowly() {
    const asked: { readonly password: string; readonly say: () => void }[] = []
    const check = ({ password }: AuthenticateRequest): Promise<Verdict> => {
      const word = Buffer.from(password ?? '').toString()
      return new Promise(
        (say) => void asked.push({ password: word, say: () => say(word === 'right' ? 'allow' : 'deny') }),
      )
    }
    /** Lets all verdicts come, and those asked for after them, till none is left; answers how many were asked for at once at most. */
    const sayAll = async (): Promise<number> => {
      let most = 0
      while (asked.length > 0) {
        most = Math.max(most, asked.length)
        for (const { say } of asked.splice(0)) say()
        await settled()
      }
      return most
    }
    return { authenticator: { name: 'slow', check }, asked, sayAll }
  }

  it('judges no more guesses than it allows, however many come at once', async () => {
    const { authenticator, asked, sayAll } = slowly()
    const { chain } = chainOf([authenticator], { backOff: { afterFailures: 5 } })
    const words = Array.from({ length: 500 }, (_, n) => (n === 250 ? 'right' : `guess ${n}`))
    const answers = tries(chain, 'a', ...words)
    expect(asked).toHaveLength(5)
    expect(await sayAll()).toBe(5)
    const said = await Promise.all(answers)
    expect([said.slice(0, 5), new Set(said.slice(5))]).toEqual([Array(5).fill(false), new Set(['unavailable'])])
    expect(chain.counts).toMatchObject({ allowed: 0, denied: 5, backedOff: 495 })
  })

  it('judges one guess at a time of an address that has waited', async () => {
    const { authenticator, asked, sayAll } = slowly()
    const { chain, clock } = chainOf([authenticator], { backOff: { afterFailures: 2, firstMs: 1000 } })
    tries(chain, 'a', '1', '2')
    await sayAll()
    clock.advance(1000)
    const answers = tries(chain, 'a', '3', 'right', 'right')
    expect(asked).toHaveLength(1)
    await sayAll()
    expect(await Promise.all(answers)).toEqual([false, 'unavailable', 'unavailable'])
  })

  it('gives the place of a right one back: a fleet behind one address comes in, all of it', async () => {
    const { authenticator, sayAll } = slowly()
    const { chain } = chainOf([authenticator], { backOff: { afterFailures: 5 } })
    const answers = tries(chain, 'a', ...Array.from({ length: 500 }, () => 'right'))
    expect(await sayAll()).toBe(5)
    expect(new Set(await Promise.all(answers))).toEqual(new Set([true]))
    expect(chain.counts.backedOff).toBe(0)
  })

  it('takes the same wrong credentials for one failure also where they come at once', async () => {
    const { authenticator, sayAll } = slowly()
    const { chain } = chainOf([authenticator], { backOff: { afterFailures: 2 } })
    const answers = tries(chain, 'a', ...Array.from({ length: 50 }, () => 'old'), 'right')
    await sayAll()
    expect((await Promise.all(answers)).slice(-2)).toEqual([false, true])
  })

  it('lets wait only so many, and nobody at another address', async () => {
    const { authenticator, asked, sayAll } = slowly()
    const { chain } = chainOf([authenticator], { backOff: { afterFailures: 1, mostWaiting: 2 } })
    const answers = tries(chain, 'a', 'right', 'right', 'right', 'right')
    const others = tries(chain, 'b', 'right')
    expect(asked).toHaveLength(2)
    await sayAll()
    expect(await Promise.all([...answers, ...others])).toEqual([true, true, true, 'unavailable', true])
  })

  it('gives up the place, and the wait for one, of a client that has gone', async () => {
    const { authenticator, asked, sayAll } = slowly()
    const { chain } = chainOf([authenticator], { backOff: { afterFailures: 1 } })
    const gone = [new AbortController(), new AbortController()]
    const ask = (word: string, signal?: AbortSignal) =>
      chain.authenticate(connectRequest('u', word, { address: 'a', ...(signal && { signal }) }))
    ask('never answered', gone[0]?.signal)
    const waited = ask('right', gone[1]?.signal)
    const last = ask('right')
    gone[1]?.abort()
    expect(await waited).toBe('unavailable')
    gone[0]?.abort()
    await settled()
    expect(asked.map(({ password }) => password)).toEqual(['never answered', 'right'])
    asked[1]?.say()
    expect(await last).toBe(true)
    await sayAll()
    expect(chain.counts).toMatchObject({ allowed: 1, denied: 1, backedOff: 0 })
  })

  it('holds over the wire: of many guesses at once the right one does not come in, and who waits is closed in time', async () => {
    const { authenticator, asked } = slowly()
    const { chain, clock } = chainOf([authenticator], { backOff: { afterFailures: 2 } })
    const rig = await startRig({ hooks: [chain], clock }, 5)
    const clients = ['1', '2', 'right'].map((password, n) => rig.greet(`c${n}`, { username: 'u', password }))
    await settled()
    expect(asked).toHaveLength(2)
    await rig.pass(12_000) // nobody is answered
    for (const client of clients) expect(await client.heard()).toEqual(['connack 80'])
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

  it('is judged no oftener than allowed, however many are in the middle of it', async () => {
    const { chain, rig, properties } = await start({ backOff: { afterFailures: 2 } })
    const clients = Array.from({ length: 20 }, (_, n) => rig.greet(`c${n}`, { properties: properties('') }))
    for (const client of clients) expect(await client.heard()).toEqual(['auth'])
    for (const [n, client] of clients.entries()) {
      client.send({ type: 'auth', reasonCode: 0x18, properties: properties(n === 10 ? 'right' : `guess ${n}`) })
    }
    await settled()
    expect(await clients[10]!.heard()).toEqual(['connack 88'])
    expect(chain.counts).toMatchObject({ allowed: 0, denied: 2, backedOff: 18 })
  })

  it('that takes its time is judged no oftener either, and a fleet comes in', async () => {
    const later: AuthenticationMethod = () => ({
      next: async (data) => {
        await settled()
        return Buffer.from(data ?? []).toString() === 'right'
          ? { outcome: 'admitted' }
          : { outcome: 'refused', admission: false }
      },
    })
    const { chain, rig, properties } = await start({
      backOff: { afterFailures: 2 },
      authenticationMethods: { WORD: later },
    })
    const greet = (id: string, word: string) => rig.greet(id, { properties: properties(word) })
    const fleet = Array.from({ length: 20 }, (_, n) => greet(`c${n}`, 'right'))
    for (const client of fleet) expect(await client.next()).toEqual(['connack 0'])
    const guesses = Array.from({ length: 20 }, (_, n) => greet(`g${n}`, n === 10 ? 'right' : `guess ${n}`))
    await Promise.all(guesses.map((client) => client.ended()))
    expect(chain.counts).toMatchObject({ allowed: 20, denied: 2, backedOff: 18 })
  })

  it('that fails gives its place back', async () => {
    const broken: AuthenticationMethod = () => ({ next: () => Promise.reject(new Error('boom')) })
    const { tries } = await start({ backOff: { afterFailures: 1 }, authenticationMethods: { WORD: broken } })
    for (let n = 0; n < 3; n++) expect(await tries('x')).toBe('connack 80')
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
