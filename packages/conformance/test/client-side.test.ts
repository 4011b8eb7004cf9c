import { allClientChecks, type CheckResult, runClientChecks } from '@godwit/conformance'
import { beforeAll, expect, it } from 'vitest'
import { type ClientFault, clientFaults } from './client-faults.js'
import { scriptedClient } from './scripted-client.js'

const faults = Object.entries(clientFaults) as [ClientFault, readonly [string, string]][]

/** The checks that must find a fault, each with its version in front. */
function named(fault: ClientFault): readonly string[] {
  const [v4, v5] = clientFaults[fault].map((list) => list.split(' ').filter(Boolean))
  return [...v4!.map((number) => `3.1.1 MQTT-${number}`), ...v5!.map((number) => `5.0 MQTT-${number}`)]
}

const keyOf = ({ version, id }: { readonly version: string; readonly id: string }): string => `${version} ${id}`

let sound: readonly CheckResult[]
const found = new Map<ClientFault, readonly CheckResult[]>()

beforeAll(async () => {
  const runs = faults.map(async ([fault]) => {
    const checks = allClientChecks.filter((check) => named(fault).includes(keyOf(check)))
    found.set(fault, await runClientChecks(scriptedClient(fault), checks, { jobs: 100 }))
  })
  sound = await runClientChecks(scriptedClient(), allClientChecks, { jobs: 100 })
  await Promise.all(runs)
}, 60_000)

it('a sound client passes every check', () => {
  expect(sound.filter(({ outcome }) => outcome !== 'pass').map((one) => `${keyOf(one)} ${one.detail}`)).toEqual([])
  expect(sound).toHaveLength(allClientChecks.length)
})

it('no statement has two checks', () => {
  expect(new Set(allClientChecks.map(keyOf)).size).toBe(allClientChecks.length)
})

it('every check has a fault that it must find', () => {
  const all = new Set(faults.flatMap(([fault]) => named(fault)))
  expect(allClientChecks.map(keyOf).filter((key) => !all.has(key))).toEqual([])
})

it.each(faults)('%s is found, and told in words', (fault) => {
  const results = found.get(fault)!
  const missed = results.filter(({ outcome, detail }) => outcome !== 'fail' || !/^expected .+; /.test(detail))
  expect(missed.map((one) => `${keyOf(one)} ${one.outcome} ${one.detail}`)).toEqual([])
  expect(results.map(keyOf).sort()).toEqual([...named(fault)].sort())
})

it('a client that does nothing is skipped, not failed', async () => {
  const results = await runClientChecks(
    () => ({ ended: Promise.resolve('it ended'), stop: async () => {} }),
    allClientChecks,
  )
  expect(new Set(results.map(({ outcome }) => outcome))).toEqual(new Set(['skip']))
  expect(results[0]?.detail).toContain('the client did not connect: it ended')
})
