import { describe, expect, it } from 'vitest'
import { accessRules, authenticationChain } from './access/index.js'
import { BrokerError } from './errors.js'
import { checkLimits, defaultLimits, type Limits } from './limits.js'
import { type BrokerOptions, checkOptions } from './options.js'

const messageOf = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(BrokerError)
    expect((error as BrokerError).code).toBe('invalid-option')
    expect((error as BrokerError).message).not.toContain('\n')
    return (error as BrokerError).message
  }
  return 'nothing was thrown'
}

describe('checkLimits', () => {
  it('fills in the defaults, which are all finite', () => {
    expect(checkLimits()).toEqual(defaultLimits)
    expect(checkLimits({ maxInflight: 1 })).toEqual({ ...defaultLimits, maxInflight: 1 })
    expect(Object.values(defaultLimits).every(Number.isSafeInteger)).toBe(true)
  })

  it.each<[keyof Limits, number]>([
    ['maxInflight', 0],
    ['maxInflight', 65_536],
    ['maxQueuedMessages', 0],
    ['maxPacketBytes', 15],
    ['maxPacketBytes', 268_435_461],
    ['maxClientIdBytes', 22],
    ['sessionExpirySeconds', 4_294_967_296],
    ['connectTimeoutMs', 0],
    ['maxOutboxBytes', Number.NaN],
    ['maxOutboxBytes', 1.5],
    ['maxOutboxBytes', Number.POSITIVE_INFINITY],
  ])('refuses %s %d, naming the limit and its range', (name, value) => {
    expect(messageOf(() => checkLimits({ [name]: value }))).toMatch(
      new RegExp(`^limits\\.${name} is ${value}; it takes a whole number from \\d+ to \\d+$`),
    )
  })

  it.each<[keyof Limits, number]>([
    ['drainTimeoutMs', 0],
    ['sessionExpirySeconds', 0],
    ['maxKeepAliveSeconds', 0],
    ['maxRetainedMessages', 0],
    ['maxInflight', 65_535],
  ])('takes %s %d', (name, value) => {
    expect(checkLimits({ [name]: value })[name]).toBe(value)
  })

  it('does not know other names', () => {
    expect(messageOf(() => checkLimits({ maxInFlight: 1 } as never))).toBe(
      'limits has no maxInFlight; did you mean maxInflight?',
    )
    expect(messageOf(() => checkLimits({ toString: 1 } as never))).toMatch(/^limits has no toString; there are max/)
  })
})

describe('checkOptions', () => {
  it('has the parts of MQTT switched on by default, but for 3.1, control characters and a look at payloads', () => {
    expect(checkOptions({}).features).toEqual({
      mqtt31: false,
      bridgeProtocol: true,
      bridgeUsers: [],
      wildcardSubscriptions: true,
      subscriptionIdentifiers: true,
      retainAvailable: true,
      maximumQos: 2,
      sharedSubscriptions: true,
      sharedHandOverAtDisconnect: true,
      emptyClientIds: true,
      controlCharacters: false,
      checkPayloadFormat: false,
      publishBeyondRate: 'slow',
    })
  })

  it.each<[BrokerOptions, string]>([
    [{ maximumQos: 3 as never }, 'maximumQos is 3; it takes 0, 1 or 2'],
    [{ willsAfterRestart: 'keep' as never }, 'willsAfterRestart is keep; it takes publish or drop'],
    [{ sysIntervalSeconds: -1 }, 'sysIntervalSeconds is -1; it takes 0 to 86400'],
    [{ sysIntervalSeconds: 0.5 }, 'sysIntervalSeconds is 0.5; it takes 0 to 86400'],
    [{ limits: { maxInflight: 0 } }, 'limits.maxInflight is 0; it takes a whole number from 1 to 65535'],
  ])('refuses %j', (given, message) => {
    expect(messageOf(() => checkOptions(given))).toBe(message)
  })

  class Guard {
    db = {}
    authenticate(): boolean {
      return !!this.db
    }
    reload(): void {}
  }
  class OfAedes {
    authorizePublish(): boolean {
      return true
    }
  }
  class Typo {
    autenticate(): boolean {
      return false
    }
  }

  it.each<[string, unknown, string]>([
    [
      'a hook',
      { authenticate: () => false },
      'createBroker has no authenticate; here that is hooks: [{ authenticate }]',
    ],
    [
      'a hook of aedes',
      { authorizePublish() {} },
      'createBroker has no authorizePublish; here that is hooks: [{ authorize }]',
    ],
    [
      'a store of aedes',
      { persistence: {} },
      'createBroker has no persistence; here that is store, such as lmdbStore({ directory })',
    ],
    ['a door', { port: 1883 }, 'createBroker has no port; here that is broker.listen({ port })'],
    ['a limit', { maxInflight: 1 }, 'createBroker has no maxInflight; here that is limits: { maxInflight }'],
    ['a slip', { maximumQoS: 1 }, 'createBroker has no maximumQoS; did you mean maximumQos?'],
    ['what nobody knows', { colour: 'red' }, 'createBroker has no colour; there are limits, hooks, store,'],
    ['no options', 'fast', 'createBroker is fast; it takes an object'],
    ['one hook', { hooks: { authenticate: () => true } }, 'hooks takes a list, such as [{ authenticate }]'],
    ['no hook', { hooks: [() => true] }, 'hooks[0] is () => true; it takes an object, such as { authenticate }'],
    [
      'a hook of mosca',
      { hooks: [{}, { clientConnected() {} }] },
      'hooks[1] has no clientConnected; here that is onConnect',
    ],
    ['a slip in a hook', { hooks: [{ authorise() {} }] }, 'hooks[0] has no authorise; did you mean authorize?'],
    [
      'a method of aedes',
      { hooks: [new OfAedes()] },
      "hooks[0] has no authorizePublish; here that is authorize, which is asked with action 'publish'",
    ],
    ['a slip in a class', { hooks: [new Typo()] }, 'hooks[0] has no autenticate; did you mean authenticate?'],
    ['a hook that is none', { hooks: [{ authenticate: true }] }, 'hooks[0].authenticate is true; it takes a function'],
    ['a slip in the limits', { limits: { maxInFlight: 1 } }, 'limits has no maxInFlight; did you mean maxInflight?'],
  ])('refuses %s that would do nothing', (_, given, message) => {
    expect(messageOf(() => checkOptions(given as BrokerOptions))).toContain(message)
  })

  it('takes hooks that are instances of a class, with methods and fields of its own, and those of the access door', () => {
    const hooks = [new Guard(), accessRules([]), authenticationChain([{ name: 'any', check: () => 'allow' }])]
    expect(checkOptions({ hooks }).hooks).toBe(hooks)
  })
})
