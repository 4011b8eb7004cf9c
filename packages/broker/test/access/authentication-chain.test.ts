import { describe, expect, it } from 'vitest'
import { type Authenticator, authenticationChain, certificateIdentity, type Verdict } from '../../src/access/index.js'
import type { ClientCertificate } from '../../src/index.js'
import { startRig } from '../rig.js'
import { chainOf, passwords } from './chains.js'
import { connectRequest } from './requests.js'

const saying = (verdict: Verdict | Promise<Verdict>, name = 'one'): Authenticator => ({ name, check: () => verdict })
const unreachable: Authenticator = { name: 'last', check: () => expect.unreachable() }
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
