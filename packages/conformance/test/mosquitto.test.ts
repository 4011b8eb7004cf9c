import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  allChecks,
  allChecks50,
  type CheckResult,
  hostileChecks,
  hostileChecks50,
  runChecks,
  socketTarget,
  type Target,
} from '@godwit/conformance'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Trial } from '../src/trial.js'

/**
 * Statements that Debian's mosquitto 2.0.11 breaks; each was looked at by hand. If another check fails here, the check
 * is wrong, or mosquitto is another.
 */
const deviations: Readonly<Record<string, string>> = {
  'MQTT-2.2.2-2': 'PUBACK, PUBREC, PUBCOMP and PINGREQ with wrong flags are taken as if they were right',
  'MQTT-3.3.5-1': 'one QoS 0 copy where a filter with QoS 2 matches too',
  'MQTT-4.3.3-2': 'a QoS 2 PUBLISH repeated a second time closes the connection',
  'MQTT-4.8.0-1': 'SUBACK, UNSUBACK and PINGRESP from a client are passed over; PINGREQ may have a body',
}

const hostileDeviations: Readonly<Record<string, string>> = {
  'remaining-length-max-header-only': 'there is no packet limit by default',
  'pingreq-with-body': 'answered',
  'client-sends-suback': 'passed over',
  'client-sends-unsuback': 'passed over',
  'client-sends-pingresp': 'passed over',
  'puback-long': 'the rest is passed over',
  'pubrec-long': 'the rest is passed over',
  'pubrel-long': 'the rest is passed over',
  'pubcomp-long': 'the rest is passed over',
  'pubrec-bad-flags': 'answered',
}

/** The same for 5.0. */
const deviations50: Readonly<Record<string, string>> = {
  'MQTT-2.1.3-1': 'PINGREQ, PUBACK, PUBREC and PUBCOMP with wrong flags are taken as if they were right',
  'MQTT-3.1.2-24': 'a SUBACK larger than the Maximum Packet Size of the client is sent',
  'MQTT-3.1.2-25': 'messages too large for the client fill its window: nothing comes after them',
  'MQTT-3.1.4-3': 'on a take-over the older connection is closed with no DISCONNECT',
  'MQTT-3.3.2-14': 'a Response Topic with wildcards is taken',
  'MQTT-4.3.3-7': 'a QoS 2 message that was sent and has expired is not sent again',
  'MQTT-4.3.3-10': 'a QoS 2 PUBLISH repeated a second time closes the connection',
  'hostile/v5-share-no-filter': 'granted',
  'hostile/v5-share-empty-filter': 'granted',
  'hostile/v5-receive-maximum-exceeded': 'taken in part, in part refused with PUBREC 0x97',
  'hostile/client-sends-suback-v5': 'passed over',
  'hostile/client-sends-pingresp-v5': 'passed over',
  'hostile/v5-publish-response-topic-wildcard': 'taken',
  'hostile/v5-share-no-local': 'granted',
  'hostile/v5-pingreq-with-body': 'answered',
  'hostile/connect-v5-auth-data-without-method': 'accepted',
  'hostile/connect-v5-will-payload-format-2': 'accepted',
}

/** These wait for its connect timeout, which is a minute and a half. */
const tooSlow = ['zero-bytes-then-idle', 'slowloris-connect', 'connect-remaining-length-max']

const program = '/usr/sbin/mosquitto'
const missing = existsSync(program) ? undefined : 'mosquitto is not installed: apt-get install mosquitto'
/** CI sets it: there, a missing peer is a failure. */
const required = process.env.GODWIT_TEST_REQUIRE_PEERS === '1'

describe('mosquitto', () => {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-conformance-'))
  let mosquitto: ChildProcess | undefined
  let target: Target

  beforeAll(async () => {
    if (missing !== undefined) return
    const port = await freePort()
    writeFileSync(join(folder, 'mosquitto.conf'), `listener ${port} 127.0.0.1\nallow_anonymous true\nsys_interval 1\n`)
    mosquitto = spawn(program, ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore' })
    target = socketTarget({ port, patienceMs: 2500, quietMs: 400 })
    await listening(target)
  })
  afterAll(() => {
    mosquitto?.kill()
    rmSync(folder, { recursive: true })
  })

  it('keeps every statement but those it is known to break', async ({ skip }) => {
    if (missing !== undefined && !required) skip(missing)
    const results = await runChecks(target, allChecks, { jobs: 40 })
    expect(failuresOf(results)).toEqual(Object.keys(deviations).sort())
  }, 60_000)

  it('bears every hostile input but those it is known not to', async ({ skip }) => {
    if (missing !== undefined && !required) skip(missing)
    const checks = hostileChecks.filter(({ id }) => !tooSlow.includes(id.replace('hostile/', '')))
    const results = await runChecks(target, checks, { jobs: 40 })
    expect(failuresOf(results)).toEqual(
      Object.keys(hostileDeviations)
        .map((name) => `hostile/${name}`)
        .sort(),
    )
  }, 60_000)

  it('keeps every statement of 5.0, and bears every hostile input, but those known', async ({ skip }) => {
    if (missing !== undefined && !required) skip(missing)
    const results = await runChecks(target, [...allChecks50, ...hostileChecks50], { jobs: 40 })
    expect(failuresOf(results)).toEqual(Object.keys(deviations50).sort())
  }, 60_000)

  it('is left with no retained message and no session', async ({ skip }) => {
    if (missing !== undefined && !required) skip(missing)
    const trial = new Trial(target, { scale: 1 })
    const c = await trial.subscriber('godwit/#')
    await c.expectNothing()
    const counted = async (): Promise<string> => {
      await c.subscribe('$SYS/broker/clients/disconnected')
      const { payload } = await c.expectPublish({ retain: true })
      return new TextDecoder().decode(payload)
    }
    await expect.poll(counted, { timeout: 10_000 }).toBe('0') // mosquitto counts once a second
    await trial.finish()
  })
})

function failuresOf(results: readonly CheckResult[]): string[] {
  return results
    .filter(({ outcome }) => outcome === 'fail')
    .map(({ id }) => id)
    .sort()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function listening(target: Target): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const stream = await target.open().catch(() => undefined)
    if (stream) return stream.destroy()
    await delay(50)
  }
  throw new Error('mosquitto does not listen')
}
