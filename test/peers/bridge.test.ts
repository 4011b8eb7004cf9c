// A bridge of Debian's mosquitto with its default settings (`try_private true`), between a mosquitto and our broker.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@godwit/broker'
import { connect } from '@godwit/client'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Background, freePort } from '../../scripts/background.mjs'
import { needs } from './needs.js'

const program = '/usr/sbin/mosquitto'
const mosquitto = { missing: existsSync(program) ? undefined : 'mosquitto is not installed: apt-get install mosquitto' }

let folder: string
let ours: Broker
let versions: unknown[]
let connected: Promise<void>
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'godwit-bridge-'))
  versions = []
  let come = (): void => {}
  connected = new Promise((resolve) => {
    come = resolve
  })
  ours = await createBroker({
    hooks: [
      {
        onConnect: ({ version, bridge }) => {
          versions.push([version, bridge])
          come()
        },
      },
    ],
  })
})
afterEach(async () => {
  await ours.close()
  rmSync(folder, { recursive: true })
})

test.for([
  ['by default', '', [4, true]],
  ['with bridge_protocol_version mqttv50', 'bridge_protocol_version mqttv50\n', [5, undefined]],
] as const)('what it carries does not come back, and RETAIN stays: %s', async ([, line, served], context) => {
  needs(context, mosquitto)
  const { port } = await ours.listen({ port: 0 })
  const theirs = await freePort()
  const configuration = join(folder, 'mosquitto.conf')
  writeFileSync(
    configuration,
    `listener ${theirs} 127.0.0.1\nallow_anonymous true\nconnection b\naddress 127.0.0.1:${port}\ntopic plant/# both 1\nnotifications false\n${line}`,
  )
  const running = await Background.start([program, '-v', '-c', configuration], {
    ready: /mosquitto version .* running/,
  })
  const client = await connect(`mqtt://127.0.0.1:${theirs}`, { clientId: 'over there' })
  try {
    await connected
    expect(versions).toEqual([served])
    const there: string[] = []
    const here: string[] = []
    const lineOf = (m: { topic: string; retain: boolean; text(): string }): string =>
      `${m.topic} ${m.text()}${m.retain ? ' retained' : ''}`
    await client.subscribe('plant/#', { qos: 1, retainAsPublished: true, onMessage: (m) => void there.push(lineOf(m)) })
    ours.subscribe('plant/#', (m) => void here.push(lineOf(m)))
    await until(async () => (await ours.subscriptions.count()) > 0)
    await client.publish('plant/out', 'kept', { qos: 1, retain: true })
    await client.publish('plant/out', 'live', { qos: 1 })
    await ours.publish('plant/in', 'kept', { qos: 1, retain: true })
    await ours.publish('plant/in', 'live', { qos: 1 })
    await expect.poll(() => [there.length, here.length], { timeout: 10_000 }).toEqual([4, 4])
    await ours.publish('plant/end', '', { qos: 1 }) // whatever echoed came before it
    await until(() => there.at(-1)?.startsWith('plant/end') === true)
    expect(there.filter((one) => !one.startsWith('plant/end')).sort()).toEqual([
      'plant/in kept retained',
      'plant/in live',
      'plant/out kept retained',
      'plant/out live',
    ])
    expect(here.filter((one) => !one.startsWith('plant/end')).sort()).toEqual([
      'plant/in kept',
      'plant/in live',
      'plant/out kept',
      'plant/out live',
    ])
    expect(Buffer.from((await ours.retained.get('plant/out'))?.payload ?? '').toString()).toBe('kept')
  } finally {
    await client.close()
    await running.stop()
  }
})

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  await expect.poll(isSo, { timeout: 10_000 }).toBe(true)
}
