// What Chromium plays at length, in short in Firefox: the client in a real page, and the console's first page.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker } from '@godwit/broker'
import { lmdbStore } from '@godwit/broker/store/lmdb'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { firefoxMissing, openFirefox } from '../../scripts/firefox.mjs'
import { brokerIn, configuredFolder, linkFrom } from './console-stage.js'
import { Pages } from './site.js'

/** Why nothing can be played here; undefined: it can. CI asks for it all the same. */
const missing: string | undefined = process.env.GODWIT_TEST_REQUIRE_PEERS === '1' ? undefined : firefoxMissing()

let firefox: Browser
let pages: Pages
let directory: string
let broker: Broker
let url: string
let port = 0
/** What any broker of this file got below up/: topic and text. */
const arrived: [topic: string, text: string][] = []

async function openBroker(): Promise<void> {
  broker = await createBroker({ store: lmdbStore({ directory }), sysIntervalSeconds: 0 })
  broker.subscribe('up/#', (message) => void arrived.push([message.topic, message.text()]))
  port = (await broker.listen({ port, websocket: { origins: [pages.url] } })).port
  url = `ws://localhost:${port}/mqtt`
}

/** Resolves when it holds; the test's own time ends it otherwise. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20))
}

const textsOf = (topic: string): string[] => arrived.filter(([to]) => to === topic).map(([, text]) => text)

const hasClient = (page: Page) => page.waitForFunction('globalThis.godwit !== undefined')

/** A new tab that has the client. What its script tells goes to `heard`. */
async function tab(heard: (what: unknown) => void = () => {}): Promise<Page> {
  const page = await firefox.newPage()
  await page.exposeFunction('tellTest', heard)
  await page.goto(pages.url)
  await hasClient(page)
  return page
}

describe.skipIf(missing)(`in Firefox${missing ? `: left out, ${missing}` : ''}`, () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'godwit-firefox-'))
    pages = await Pages.serve()
    firefox = await openFirefox()
    await openBroker()
  }, 60_000)
  afterAll(async () => {
    await firefox?.close()
    pages?.close()
    await broker?.close()
    rmSync(directory, { recursive: true, force: true })
  })
  afterEach(async () => {
    for (const page of (await firefox.pages()).slice(1)) await page.close()
  })

  test.each([0, 1, 2] as const)('QoS %s goes both ways, in order', async (qos) => {
    const sizes = Array.from({ length: 50 }, (_, n) => (n % 25 === 0 ? 300_000 + n : n))
    const page = await tab()
    const seen = await page.evaluate(
      async ({ url, qos, sizes }) => {
        const client = await godwit.connect(url)
        const seen: number[] = []
        const all = new Promise<void>((resolve) => {
          void client.subscribe(`both/${qos}`, {
            qos,
            onMessage: ({ payload }) => void (seen.push(payload.length) === sizes.length && resolve()),
          })
        })
        await client.ready()
        await Promise.all(sizes.map((size) => client.publish(`both/${qos}`, new Uint8Array(size), { qos })))
        await all
        await client.close()
        return seen
      },
      { url, qos, sizes },
    )
    expect(seen).toEqual(sizes)
  })

  test('goes on through a restart of the broker: what was published meanwhile arrives, QoS 2 once', async () => {
    const heard: unknown[] = []
    const page = await tab((what) => heard.push(what))
    const client = await page.evaluateHandle(async (url) => {
      const client = await godwit.connect(url, { clientId: 'restart', clean: false, reconnect: { initialMs: 50 } })
      await client.subscribe('down/restart', { qos: 2, onMessage: (message) => godwit.tell(message.text()) })
      client.on('state', (state) => godwit.tell(state))
      return client
    }, url)
    await broker.close()
    await until(() => heard.includes('waiting'))
    const sent = client.evaluate(async (client) => {
      await Promise.all(([1, 2] as const).map((qos) => client.publish(`up/restart/${qos}`, 'meanwhile', { qos })))
    })
    await openBroker()
    await sent
    await broker.publish('down/restart', 'still subscribed', { qos: 2 })
    await until(() => heard.includes('still subscribed'))
    expect([...new Set(textsOf('up/restart/1'))]).toEqual(['meanwhile'])
    expect(textsOf('up/restart/2')).toEqual(['meanwhile'])
  })

  test('keeps a session in IndexedDB over a reload: all of it goes out and comes in, QoS 2 once', async () => {
    const heard: unknown[] = []
    const page = await tab((what) => heard.push(what))
    const session = () =>
      page.evaluateHandle(async (url) => {
        const store = godwit.indexedDbStore('reloaded')
        const client = await godwit.connect(url, { clientId: 'reloaded', clean: false, store })
        await client.subscribe('down/reloaded', { qos: 2, onMessage: (message) => godwit.tell(message.text()) })
        return { client, store }
      }, url)
    const before = await session()
    await broker.close()
    await before.evaluate(async ({ client, store }) => {
      for (const qos of [1, 2] as const) client.publish(`up/reloaded/${qos}`, 'kept', { qos }).catch(() => {})
      await store.flush()
    })
    await page.reload()
    await hasClient(page)
    await openBroker()
    await broker.publish('down/reloaded', 'while it was away', { qos: 2 })
    const after = await session()
    await until(() => heard.length > 0)
    const left = await after.evaluate(async ({ client, store }) => {
      await client.close()
      const { outgoing } = await store.load()
      return outgoing.length
    })
    expect({ left, heard }).toEqual({ left: 0, heard: ['while it was away'] })
    expect([...new Set(textsOf('up/reloaded/1'))]).toEqual(['kept'])
    expect(textsOf('up/reloaded/2')).toEqual(['kept'])
  })

  test('the console lets in by its link, and shows figures without an error', async () => {
    const folder = configuredFolder()
    const running = await brokerIn(folder, 0)
    onTestFinished(async () => {
      await running.stop()
      rmSync(folder, { recursive: true, force: true })
    })
    const page = await firefox.newPage()
    const troubles: string[] = []
    // Also what the page's policy refuses.
    page.on('pageerror', (error) => troubles.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') troubles.push(message.text())
    })
    await page.goto(await linkFrom(folder))
    await page.waitForSelector('h1::-p-text(Overview)')
    await page.waitForFunction(String.raw`/\d/.test(document.querySelector('section[aria-label=Clients]')?.innerText)`)
    expect(new URL(page.url()).hash).toBe('#/')
    expect(troubles).toEqual([])
  })
})
