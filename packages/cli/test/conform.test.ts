import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrokerOptions, createBroker, scramCredentials, scramSha256 } from '@godwit/broker'
import { authenticationChain, hashPassword, passwordFile } from '@godwit/broker/access'
import type { JsonReport } from '@godwit/conformance'
import { expect, test } from 'vitest'
import { TestTerminal } from './test-terminal.js'

interface Configuration {
  readonly options: BrokerOptions
  readonly websocket?: true
  readonly flags?: readonly string[]
}

/** Statements that apply in no configuration, and why. */
const neverApply: Readonly<Record<string, readonly string[]>> = {
  'our broker sends no User Property of its own': [
    ...['3.2.2-20', '3.4.2-3', '3.5.2-3', '3.6.2-3', '3.7.2-3', '3.9.2-2', '3.11.2-2', '3.14.2-4', '3.15.2-3'],
  ],
  'our broker sends no Reason String in SUBACK, UNSUBACK and AUTH': ['3.9.2-1', '3.11.2-1', '3.15.2-2'],
  'our broker sends one copy for overlapping subscriptions': ['3.3.4-5'],
  'the checks do not speak SCRAM-SHA-256 to its end': ['4.12.1-2'],
}

async function withPasswords(): Promise<Configuration> {
  const [username, password] = ['bird', 'eleven thousand kilometres']
  const folder = mkdtempSync(join(tmpdir(), 'godwit-passwords-'))
  const file = join(folder, 'passwords')
  writeFileSync(file, `${username}:${await hashPassword(Buffer.from(password))}\n`, { mode: 0o600 })
  const passwords = authenticationChain([await passwordFile(file)])
  rmSync(folder, { recursive: true })
  const secrets = scramCredentials(password)
  const scram = scramSha256((name) => (name === username ? secrets : undefined))
  return {
    options: { hooks: [passwords, { authenticationMethods: { 'SCRAM-SHA-256': scram } }] },
    flags: ['--username', username, '--password', password],
  }
}

async function played({ options, websocket, flags = [] }: Configuration): Promise<JsonReport> {
  const broker = await createBroker(options)
  try {
    const { port } = await broker.listen({ port: 0, ...(websocket && { websocket: {} }) })
    const terminal = new TestTerminal()
    const url = websocket ? `ws://127.0.0.1:${port}/mqtt` : `mqtt://127.0.0.1:${port}`
    await terminal.run('conform', url, '--json', '--jobs', '20', ...flags)
    return JSON.parse(terminal.output) as JsonReport
  } finally {
    await broker.close()
  }
}

test('our broker fails no statement in any configuration, and each that can apply passes in one', async () => {
  const configurations: Readonly<Record<string, Configuration>> = {
    'as it comes': { options: {} },
    'Maximum QoS 1, no retained messages': { options: { maximumQos: 1, retainAvailable: false } },
    'no wildcards, no shared subscriptions': { options: { wildcardSubscriptions: false, sharedSubscriptions: false } },
    'a password file and SCRAM': await withPasswords(),
    'over WebSocket': { options: {}, websocket: true },
  }
  const failed: string[] = []
  const left = new Set<string>()
  const passed = new Set<string>()
  const play = async (name: string, configuration: Configuration): Promise<void> => {
    for (const { version, id, outcome, detail } of (await played(configuration)).statements) {
      if (outcome === 'fail') failed.push(`${name}: ${version} ${id} ${detail}`)
      ;(outcome === 'pass' ? passed : left).add(`${version} ${id}`)
    }
  }
  // Beside each other: what takes its time is waiting.
  await Promise.all(Object.entries(configurations).map(([name, configuration]) => play(name, configuration)))
  expect(failed).toEqual([])
  const never = Object.values(neverApply).flat()
  expect([...left].filter((one) => !passed.has(one)).sort()).toEqual(never.map((n) => `5.0 MQTT-${n}`).sort())
}, 240_000)
