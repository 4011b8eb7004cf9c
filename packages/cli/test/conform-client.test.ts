// Programs started as a user would start theirs: our client, built, and MQTT.js.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { TestTerminal } from './test-terminal.js'

const program = (name: string): string => {
  return `exec ${process.execPath} ${fileURLToPath(new URL(`conform-clients/${name}.mjs`, import.meta.url))}`
}
const mqttJs = fileURLToPath(new URL('../../../test/peers/node_modules/mqtt', import.meta.url))

async function ran(...args: string[]) {
  const terminal = new TestTerminal()
  return { code: await terminal.run('conform', ...args), output: terminal.output, errors: terminal.errors }
}

test('our client: redelivery, flow control, CONNECT', async () => {
  const { code, output, errors } = await ran(
    ...['--client', program('godwit')],
    ...['--only', '4.4', '--only', '4.9', '--only', 'MQTT-3.1.0-1', '--json'],
  )
  expect([code, errors]).toEqual([0, ''])
  expect(JSON.parse(output).totals).toEqual({ pass: 7, fail: 0, skip: 0 })
})

test('MQTT.js repeats with its identifiers, but without DUP', async (context) => {
  if (!existsSync(mqttJs) && process.env.GODWIT_TEST_REQUIRE_PEERS !== '1') {
    context.skip('MQTT.js is not installed: npm ci --prefix test/peers')
  }
  const { code, output } = await ran(
    ...['--client', program('mqtt-js'), '--version', '3.1.1', '-v'],
    ...['--only', 'MQTT-3.3.1-1', '--only', 'MQTT-2.3.1-3'],
  )
  expect(code).toBe(1)
  expect(output).toMatch(/^pass 3\.1\.1 MQTT-2\.3\.1-3 /m)
  expect(output).toMatch(/FAIL MQTT-3\.3\.1-1 \(MQTT 3\.1\.1\)\n {2}expected DUP 1 on what is sent again; DUP 0 came/)
  expect(output).toMatch(/ {4}connection 2: client sends PUBLISH, topic "conform\/1"/)
})
