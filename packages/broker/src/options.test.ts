import { describe, expect, it } from 'vitest'
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
      'limits.maxInFlight is not a limit this broker knows',
    )
    expect(messageOf(() => checkLimits({ toString: 1 } as never))).toBe(
      'limits.toString is not a limit this broker knows',
    )
  })
})

describe('checkOptions', () => {
  it('has the parts of MQTT switched on by default, but for 3.1, control characters and a look at payloads', () => {
    expect(checkOptions({}).features).toEqual({
      mqtt31: false,
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
})
