import { describe, expect, test } from 'vitest'
import { installFailure, requireNode } from './prepare.mjs'

describe('Node', () => {
  test.each(['20.19.0', '20.20.2', '22.0.0', '24.9.0'])('%s is new enough', (version) => {
    expect(() => requireNode(version)).not.toThrow()
  })

  test.each(['20.18.3', '18.20.4'])('%s is refused in one line that says what to do', (version) => {
    expect(() => requireNode(version)).toThrow(
      `this is Node ${version}, and Godwit needs 20.19 or newer: install it from https://nodejs.org`,
    )
  })
})

describe('a failed npm ci', () => {
  test('without a network says so', () => {
    const output = 'npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error errno ENOTFOUND\n'
    expect(installFailure(output)).toMatch(
      /^npm could not reach its registry \(ENOTFOUND\): connect to the network, or .+$/,
    )
  })

  test('for another reason tells its code and how to see the rest', () => {
    expect(installFailure('npm warn old\nnpm error code EUSAGE\nnpm error\nnpm error the lock file …\n')).toBe(
      "npm ci failed (code EUSAGE): run 'npm ci' to see all of its output",
    )
  })
})
