import { expect, test } from 'vitest'
import { usageOf } from './broker-process.js'

test.skipIf(process.platform !== 'linux')('a process and what it uses', () => {
  const { cpuMicros, memoryBytes } = usageOf(process.pid)
  expect(cpuMicros).toBeGreaterThan(0)
  expect(memoryBytes).toBeGreaterThan(5_000_000)
  expect(memoryBytes).toBeLessThan(process.memoryUsage().rss)
})

test('a process that is not there', () => {
  expect(() => usageOf(2 ** 22)).toThrow('there is no process 4194304 in /proc; --pid takes the broker')
})
