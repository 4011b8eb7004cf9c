// A broker as `godwit broker` runs it, with a household of clients, and Chromium in which its console is opened.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, connect } from '@godwit/client'
import type { BrowserContext, Page } from 'playwright-core'
import { Background } from '../../scripts/background.mjs'
import { openProfile } from '../../scripts/browser.mjs'

const command = fileURLToPath(new URL('../../packages/cli/bin/godwit.js', import.meta.url))
const axe = createRequire(import.meta.url).resolve('axe-core')

const configuration = `allowAnonymous: true
auth: { passwordFile: passwords }
acl: { file: rules.yaml }
backup: { directory: backups }
limits: { maxQueuedMessages: 20 }
listeners: [{ port: 0 }]
`
const rules = `rules:
  # the garage is not for everybody
  - { deny: publish, filter: 'house/garage/#' }
  - { allow: [publish, subscribe, receive], filter: '#' }
`

/** What a client may call itself, and what it may publish, to do harm to whoever looks. */
export const hostile = '<img src=x onerror="window.harmed=1">'

export class ConsoleStage {
  readonly folder: string
  #broker: Background
  readonly #context: BrowserContext
  readonly #clients: Client[] = []

  private constructor(folder: string, broker: Background, context: BrowserContext) {
    this.folder = folder
    this.#broker = broker
    this.#context = context
  }

  /** Of the broker, for clients. */
  get url(): string {
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(this.#broker.output) ?? []
    return `mqtt://127.0.0.1:${port}`
  }

  static async open(): Promise<ConsoleStage> {
    const folder = configuredFolder()
    const broker = await brokerIn(folder, 0)
    return new ConsoleStage(folder, broker, await openProfile(join(folder, 'profile')))
  }

  async stopBroker(): Promise<void> {
    await this.#broker.stop()
  }

  /** Where it was before. */
  async startBroker(): Promise<void> {
    const [, port] = /console and HTTP API {2}http:\/\/127\.0\.0\.1:(\d+)/.exec(this.#broker.output) ?? []
    this.#broker = await brokerIn(this.folder, Number(port))
  }

  /** A token of that name and role. */
  async token(role: string): Promise<string> {
    const data = join(this.folder, 'data')
    const making = await Background.start([
      process.execPath,
      command,
      'token',
      'create',
      role,
      '--role',
      role,
      '--data',
      data,
    ])
    await making.success()
    const token = /godwit_[\w-]{43}/.exec(making.output)?.[0] ?? ''
    const [, site] = /console and HTTP API {2}(http:\/\/127\.0\.0\.1:\d+)/.exec(this.#broker.output) ?? []
    // The broker looks at its file once a second.
    for (let status = 0; status !== 200; ) {
      const answer = await fetch(`${site}/api/v1/self`, { headers: { authorization: `Bearer ${token}` } })
      status = answer.status
      if (status !== 200) await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return token
  }

  /** A login link, good once. */
  link(): Promise<string> {
    return linkFrom(this.folder)
  }

  async client(clientId: string, options: object = {}): Promise<Client> {
    const client = await connect(this.url, { clientId, ...options })
    this.#clients.push(client)
    return client
  }

  /** `godwit bench` at work for two seconds, with few messages: whoever starts it awaits its success. */
  bench(topic: string): Promise<Background> {
    const load = ['p2p', this.url, '--pubs', '5', '--subs', '5', '--rate', '100', '--seconds', '2', '--warmup', '0']
    return Background.start([process.execPath, command, 'bench', ...load, '--workers', '1', '--topic', topic])
  }

  /** A household that goes on talking, for pictures; nothing is looked for in it. */
  async populate(): Promise<void> {
    const rooms = ['kitchen', 'attic', 'bedroom', 'hall', 'bath']
    const sensors = ['temperature', 'humidity', 'motion', 'window']
    const zigbee = await this.client('zigbee2mqtt')
    for (const clientId of [
      'home-assistant',
      'node-red',
      'grafana',
      'phone-ann',
      'phone-bob',
      'doorbell',
      'heat-pump',
    ]) {
      await (await this.client(clientId)).subscribe(`villa/${clientId === 'grafana' ? '+/temperature' : '#'}`)
    }
    const values: Readonly<Record<string, () => string>> = {
      temperature: () => (20 + 2 * Math.sin(Date.now() / 9_000) + Math.random() / 5).toFixed(2),
      humidity: () => (45 + 5 * Math.random()).toFixed(1),
      motion: () =>
        JSON.stringify({
          occupancy: Math.random() > 0.7,
          battery: 87,
          linkquality: 60 + Math.floor(Math.random() * 60),
        }),
      window: () => JSON.stringify({ contact: true, battery: 64 }),
    }
    const talk = (): void => {
      for (const room of rooms) {
        for (const sensor of sensors) {
          if (Math.random() < 0.4) continue
          const qos = sensor === 'window' ? 1 : 0
          zigbee.publish(`villa/${room}/${sensor}`, values[sensor]!(), { qos, retain: true }).catch(() => {})
        }
      }
    }
    this.#talking = setInterval(talk, 400)
  }

  #talking: NodeJS.Timeout | undefined

  /** A tab of that width; what goes wrong in it fails whoever asks {@link troubles}. */
  async tab(width = 1_280): Promise<Page> {
    const page = await this.#context.newPage()
    page.setDefaultTimeout(6_000) // a step that is not done by then says so itself
    await page.setViewportSize({ width, height: width < 600 ? 844 : 800 })
    page.on('pageerror', (error) => this.troubles.push(String(error.stack)))
    page.on('console', (message) => {
      if (message.type() === 'error') this.troubles.push(message.text())
    })
    return page
  }

  readonly troubles: string[] = []

  /** What axe finds against WCAG 2.2 AA in what is shown. */
  async violations(page: Page): Promise<string[]> {
    // Not by a script element, which the page's own policy would refuse.
    await page.evaluate(await readAxe())
    return page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run(document as never, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
      })
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
      )
    })
  }

  async close(): Promise<void> {
    clearInterval(this.#talking)
    await this.#context.close()
    for (const client of this.#clients) await client.close().catch(() => {})
    await this.#broker.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A new folder with what a broker and its console need; whoever asks for it removes it. */
export function configuredFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-console-'))
  for (const [name, text] of Object.entries({ 'godwit.yaml': configuration, 'rules.yaml': rules, passwords: '' })) {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
  }
  return folder
}

/** A login link, good once, from the broker that runs in a folder. */
export async function linkFrom(folder: string): Promise<string> {
  const asking = await Background.start([process.execPath, command, 'console', '--data', join(folder, 'data')])
  await asking.success()
  return asking.output.trim()
}

/** Runs a broker in a folder of {@link configuredFolder}; its console is at a port, 0 for a free one. */
export function brokerIn(folder: string, port: number): Promise<Background> {
  const config = join(folder, 'godwit.yaml')
  const data = join(folder, 'data')
  return Background.start(
    [process.execPath, command, 'broker', '--config', config, '--data', data, '--http', String(port)],
    { ready: /console and HTTP API/ },
  )
}

declare const document: unknown

interface Axe {
  run(
    context: never,
    options: object,
  ): Promise<{
    readonly violations: readonly {
      readonly id: string
      readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[]
    }[]
  }>
}

async function readAxe(): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return readFile(axe.replace(/axe\.js$/, 'axe.min.js'), 'utf8')
}
