// The client in a real page: the built files in Chromium, against this repository's broker over WebSockets.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Broker, createBroker, scramCredentials, scramSha256 as scramServer } from '@godwit/broker'
import { lmdbStore } from '@godwit/broker/store/lmdb'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { missing, Site } from './site.js'

declare const window: EventTarget

let site: Site
let broker: Broker
let url: string
let directory: string
let port = 0
/** What any broker of this file got below up/: topic and number. */
const arrived: [topic: string, number: number][] = []

async function openBroker(): Promise<void> {
  broker = await createBroker({ store: lmdbStore({ directory }), sysIntervalSeconds: 0 })
  broker.subscribe(
    'up/#',
    ({ topic, payload }) => void arrived.push([topic, Number(new TextDecoder().decode(payload))]),
  )
  port = (await broker.listen({ port, websocket: { origins: [site.url] } })).port
  url = `ws://localhost:${port}/mqtt`
}

/** Resolves when it holds; the test's own time ends it otherwise. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const numbered = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n)

const numbersUnder = (filter: string): number[] =>
  arrived.filter(([topic]) => topic.startsWith(filter)).map(([, number]) => number)

/** Collects what arrives at the broker. */
function listen(filter: string): string[] {
  const arrived: string[] = []
  broker.subscribe(filter, (message) => void arrived.push(message.text()))
  return arrived
}

const close = (page: Page): Promise<void> => page.close()

/** Its process ends at once. */
async function crash(page: Page): Promise<void> {
  const gone = page.waitForEvent('crash')
  const session = await page.context().newCDPSession(page)
  session.send('Page.crash').catch(() => {})
  await gone
  await page.close()
}

/** In the page: tells each number that is in the store for certain. Runs until the page ends. */
async function publishWithoutEnd({ url, first }: { url: string; first: number }): Promise<void> {
  const store = godwit.indexedDbStore('killed')
  const client = await godwit.connect(url, { clientId: 'killed', clean: false, store })
  const run = async (): Promise<void> => {
    for (let number = first; ; number++) {
      await client.ready()
      const qos = number % 2 === 0 ? 1 : 2
      void client.publish(`up/killed/${qos}`, `${number}`, { qos })
      if (number % 5 !== 0) continue
      await store.flush()
      godwit.tell(number)
    }
  }
  void run()
}

/** In the page: resolves when nothing of the earlier ones is under way. */
async function sendTheRest(url: string): Promise<void> {
  const store = godwit.indexedDbStore('killed')
  const client = await godwit.connect(url, { clientId: 'killed', clean: false, store })
  await client.close()
  const { outgoing } = await store.load()
  await store.close()
  if (outgoing.length > 0) throw new Error(`${outgoing.length} are left`)
}

describe.skipIf(missing)(`in Chromium${missing ? `: left out, ${missing}` : ''}`, () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'godwit-browser-'))
    site = await Site.open()
    await openBroker()
  }, 60_000)
  afterAll(async () => {
    await site?.close()
    await broker?.close()
    rmSync(directory, { recursive: true, force: true })
  })
  afterEach(async () => {
    for (const page of site.context.pages().slice(1)) await page.close()
  })

  test('requests, and checks of options, come from files of their own', async () => {
    const page = await site.tab()
    const seen = await page.evaluate(async (url) => {
      const { connect, checks, requestsOf } = godwit
      const client = await connect(url)
      const requests = requestsOf(client)
      await requests.respond('clock', () => 'noon')
      const response = await requests.request('clock', 'now?')
      const refused = (options: object): Promise<unknown> =>
        connect(url, { checks, ...options }).catch((error) => [
          error instanceof godwit.InvalidArgumentError,
          String(error),
        ])
      const refusals = [await refused({ keepalive: 30 }), await refused({ protocolVersion: 4 })]
      await client.close()
      const late = await requests.request('clock', 'now?').catch((error) => error instanceof godwit.InterruptedError)
      return [response.text(), refusals, late]
    }, url)
    const meant = (name: string, here: string): string =>
      `InvalidArgumentError: connect: there is no option '${name}': it is called ${here} here`
    const refusals = [meant('keepalive', 'keepAliveSeconds'), meant('protocolVersion', 'version')]
    expect(seen).toEqual(['noon', refusals.map((refusal) => [true, refusal]), true])
  })

  describe.each([
    ['3.1.1', 4],
    ['5.0', 5],
  ] as const)('at MQTT %s', (_, version) => {
    test.each([0, 1, 2] as const)('QoS %s goes both ways, in order', async (qos) => {
      const page = await site.tab()
      const seen = await page.evaluate(
        async ({ url, version, qos }) => {
          const client = await godwit.connect(url, { version })
          const seen: number[] = []
          const all = new Promise<void>((resolve) => {
            void client.subscribe(`both/${version}/${qos}`, {
              qos,
              onMessage: (message) => void (seen.push(message.payload.length) === 100 && resolve()),
            })
          })
          await client.ready()
          const sizes = Array.from({ length: 100 }, (_, n) => (n % 25 === 0 ? 300_000 + n : n))
          await Promise.all(
            sizes.map((size) => client.publish(`both/${version}/${qos}`, new Uint8Array(size), { qos })),
          )
          await all
          const spoken = client.version
          await client.close()
          return { seen, spoken }
        },
        { url, version, qos },
      )
      expect(seen).toEqual({ seen: numbered(100).map((n) => (n % 25 === 0 ? 300_000 + n : n)), spoken: version })
    })

    test('goes on through a restart of the broker: QoS 1 and 2 arrive, QoS 2 once', async () => {
      const heard: string[] = []
      const page = await site.tab((what) => heard.push(String(what)))
      await page.evaluate(
        async ({ url, version }) => {
          const clientId = `restart-${version}`
          const client = await godwit.connect(url, { version, clientId, clean: false, reconnect: { initialMs: 50 } })
          client.on('state', (state) => godwit.tell(state))
          await client.subscribe(`down/${version}`, { qos: 2, onMessage: (message) => godwit.tell(message.text()) })
          const all: Promise<unknown>[] = []
          const publish = (n: number): void => {
            const qos = n % 2 === 0 ? 1 : 2
            all.push(client.publish(`up/${version}/${qos}`, `${n}`, { qos }))
            if (n < 399) setTimeout(publish, 1, n + 1)
            else Promise.all(all).then(() => godwit.tell('done'), godwit.tell)
          }
          publish(0)
        },
        { url, version },
      )
      const under = (topic: string): number[] => numbersUnder(`up/${version}${topic}`)
      await until(() => under('').length > 50)
      await broker.close()
      await until(() => heard.includes('waiting'))
      await openBroker()
      await until(() => heard.includes('done'))
      await broker.publish(`down/${version}`, 'still subscribed', { qos: 2 })
      await until(() => heard.includes('still subscribed'))
      expect([...new Set(under('/1'))]).toEqual(numbered(200).map((n) => 2 * n))
      expect(under('/2')).toEqual(numbered(200).map((n) => 2 * n + 1))
    })
  })

  test('proves a password by SCRAM-SHA-256, in a file of its own beside the client', async () => {
    const ada = scramCredentials('pencil')
    await using guarded = await createBroker({
      hooks: [
        { authenticationMethods: { 'SCRAM-SHA-256': scramServer((name) => (name === 'ada' ? ada : undefined)) } },
      ],
    })
    const { port } = await guarded.listen({ port: 0, websocket: { origins: [site.url] } })
    const page = await site.tab()
    const answers = await page.evaluate(async (url) => {
      const answers: unknown[] = []
      for (const password of ['pencil', 'pen']) {
        const authentication = godwit.scramSha256('ada', password)
        const client = await godwit.connect(url, { authentication, reconnect: false }).catch(String)
        answers.push(typeof client === 'string' ? client : client.state)
      }
      return answers
    }, `ws://localhost:${port}/mqtt`)
    expect(answers).toEqual(['connected', expect.stringContaining('Not authorized')])
  })

  test('a packet that only clients send is refused as by the whole codec', async () => {
    const page = await site.tab()
    const error = await page.evaluate(async () => {
      const connect = Uint8Array.of(0x10, 12, 0, 4, 77, 81, 84, 84, 4, 2, 0, 0, 0, 0)
      const client = godwit.connect('ws://nowhere', {
        reconnect: false,
        openStream: (_, events) => {
          queueMicrotask(() => events.onOpen())
          return {
            write: () => {
              queueMicrotask(() => events.onData(connect))
              return true
            },
            end: () => events.onClose(),
            destroy: () => events.onClose(),
            pause: () => {},
            resume: () => {},
          }
        },
      })
      return await client.then(
        () => 'connected',
        (error: Error) => error.message,
      )
    })
    expect(error).toContain('only clients send')
  })

  test('a page whose timers run once a second acknowledges and stores without waiting for them', async () => {
    const page = await site.tab()
    const took = await page.evaluate(async (url) => {
      const { setTimeout } = globalThis
      globalThis.setTimeout = ((task: () => void, ms = 0) => setTimeout(task, Math.max(ms, 1000))) as typeof setTimeout
      const store = godwit.indexedDbStore('slow timers')
      const client = await godwit.connect(url, { clientId: 'slow-timers', clean: false, store })
      await client.subscribe('slow', { qos: 2, onMessage: () => {} })
      const begun = performance.now()
      for (let n = 0; n < 20; n++) await client.publish('slow', `${n}`, { qos: 2 })
      await client.close()
      return performance.now() - begun
    }, url)
    expect(took).toBeLessThan(10_000) // 20 rounds that wait for a timer once each take 20 s
  })

  test('a page that slept past its keep-alive comes back, and gets what it missed', async () => {
    const heard: unknown[] = []
    const page = await site.tab((what) => heard.push(what))
    await page.evaluate(async (url) => {
      const options = { clientId: 'asleep', clean: false, keepAliveSeconds: 1, reconnect: { initialMs: 50 } }
      const client = await godwit.connect(url, options)
      await client.subscribe('missed', { qos: 1, onMessage: (message) => godwit.tell(message.text()) })
    }, url)
    const debug = await site.context.newCDPSession(page)
    await debug.send('Debugger.enable')
    await debug.send('Debugger.pause') // no timer runs and no event comes, as in a tab that the browser has put to sleep
    await until(async () => (await broker.clients.get('asleep')) === undefined)
    await broker.publish('missed', 'while asleep', { qos: 1 })
    await debug.send('Debugger.resume')
    await until(() => heard.length > 0)
    expect(heard).toEqual(['while asleep'])
  })

  test('when the network comes back the client connects at once, however long it was to wait', async () => {
    const heard: unknown[] = []
    const page = await site.tab((what) => heard.push(what))
    await page.evaluate(async (url) => {
      const client = await godwit.connect(url, {
        clientId: 'offline',
        clean: false,
        keepAliveSeconds: 1,
        pingTimeoutMs: 500,
        reconnect: { initialMs: 600_000, maxMs: 600_000 },
      })
      client.on('state', (state) => godwit.tell(state))
    }, url)
    await site.context.setOffline(true)
    await until(() => heard.includes('waiting'))
    await site.context.setOffline(false)
    await until(() => heard.includes('connected'))
    expect(heard).toEqual(['waiting', 'connecting', 'connected'])
  })

  describe('a page that is left', () => {
    async function leave(clientId: string, closes: boolean): Promise<string[]> {
      const wills = listen(`wills/${clientId}`)
      const page = await site.tab()
      await page.evaluate(
        async ({ url, clientId, closes }) => {
          const client = await godwit.connect(url, { clientId, will: { topic: `wills/${clientId}`, payload: 'gone' } })
          if (closes) window.addEventListener('pagehide', () => void client.close({ timeoutMs: 0 }))
        },
        { url, clientId, closes },
      )
      await page.goto('about:blank')
      await until(async () => (await broker.clients.get(clientId)) === undefined)
      await broker.publish(`wills/${clientId}`, 'later')
      await until(() => wills.includes('later'))
      return wills
    }

    test('has its will published', async () => {
      expect(await leave('left', false)).toEqual(['gone', 'later'])
    })

    test('has not when it closes the client at pagehide', async () => {
      expect(await leave('closed', true)).toEqual(['later'])
    })
  })

  describe('the store in IndexedDB', () => {
    test('does what every store must do', async () => {
      const page = await site.tab()
      const outcomes = (await page.evaluate(`(async () => {
        const { begin, play } = await import('/contract.js')
        let count = 0
        begin(() => godwit.indexedDbStore('contract ' + count++))
        return await play()
      })()`)) as [string, string][]
      expect(outcomes.filter(([, problem]) => problem !== '')).toEqual([])
      expect(outcomes.length).toBeGreaterThan(12)
    })

    /** What `load()` of a store says in this page. */
    const loading = (page: Page, name: string): Promise<string> =>
      page.evaluate(
        (name) =>
          godwit
            .indexedDbStore(name)
            .load()
            .then(
              ({ outgoing }) => `loaded ${outgoing.length}`,
              (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
            ),
        name,
      )

    test('is refused to a second tab in one line, and free when the first is gone', async () => {
      const [first, second] = [await site.tab(), await site.tab()]
      expect(await loading(first, 'shared')).toBe('loaded 0')
      expect(await loading(second, 'shared')).toBe(
        'store-in-use: the store shared is in use by another client, of this page or of another tab: give each client a store of its own',
      )
      await first.close()
      await until(async () => (await loading(second, 'shared')) === 'loaded 0')
    })

    test('outlives pages that are closed and crash in the middle: all of it arrives, QoS 2 once', async () => {
      const kept: number[] = []
      const under = (topic: string): number[] => numbersUnder(`up/killed/${topic}`)
      for (const [life, end] of [close, crash, close, crash, crash].entries()) {
        const page = await site.tab((number) => kept.push(Number(number)))
        await page.evaluate(publishWithoutEnd, { url, first: life * 100_000 })
        const goal = under('').length + 40 + 17 * life
        await until(() => under('').length > goal)
        await end(page)
      }
      const page = await site.tab()
      await page.evaluate(sendTheRest, url)
      const all = new Set(under(''))
      expect(kept.length).toBeGreaterThan(50)
      expect(kept.filter((number) => !all.has(number))).toEqual([])
      const once = under('2')
      expect(once).toEqual([...new Set(once)].sort((a, b) => a - b))
    })

    describe('says in words', () => {
      const [nothing, locked] = ['void 0', "Object.defineProperty(navigator, 'locks', { value: undefined })"]
      const opening = (body: string): string => `IDBFactory.prototype.open = () => { ${body} }`
      test.each([
        ['that a later version wrote it', nothing, 'store-unusable: the store later cannot be opened: a later version'],
        [
          'that the page is not secure',
          locked,
          'store-unusable: the store later needs Web Locks, and this page has none',
        ],
        [
          'that storing is forbidden',
          opening("throw new DOMException('denied', 'SecurityError')"),
          'store-unusable: the store later cannot be opened: the browser does not let this page store anything',
        ],
        [
          'that another tab is in the way',
          opening('const request = {}; setTimeout(() => request.onblocked()); return request'),
          'store-unusable: the store later cannot be opened: another tab has an older version of it open',
        ],
      ])('%s', async (_, change, words) => {
        const page = await site.tab()
        await page.evaluate(`new Promise((resolve) => {
          const request = indexedDB.open('godwit client store later', 2)
          request.onsuccess = () => resolve(request.result.close())
        })`)
        await page.evaluate(change)
        expect(await loading(page, 'later')).toContain(words)
      })

      test('that there is no room; it forgets nothing, and goes on when there is', async () => {
        const page = await site.tab()
        // Chromium's own quota cannot be made small enough from outside.
        const said = await page.evaluate(`(async () => {
          const store = godwit.indexedDbStore('full')
          await store.load()
          const { put } = IDBObjectStore.prototype
          IDBObjectStore.prototype.put = () => { throw new DOMException('full', 'QuotaExceededError') }
          store.putReceived(7)
          const refused = await store.flush().then(() => 'kept', ({ code, message }) => code + ': ' + message)
          IDBObjectStore.prototype.put = put
          store.putReceived(8)
          await store.flush()
          await store.close()
          const { received } = await store.load()
          await store.close()
          return [refused, received]
        })()`)
        expect(said).toEqual([
          'store-failed: the store full cannot be written to: the browser gives this site no more room (QuotaExceededError): delete something of the site, or publish less while offline',
          [7, 8],
        ])
      })
    })

    test('is written again when the user deletes what the site has stored', async () => {
      const page = await site.tab()
      const session = await page.evaluate(`(async () => {
        const store = godwit.indexedDbStore('deleted')
        await store.load()
        const message = { topic: 'a', qos: 1, retain: false, payload: new Uint8Array(3), expiresAt: 1, packetId: 1, released: 0 }
        store.putOutgoing({ ...message, sequence: 1 })
        store.putReceived(7)
        await store.flush()
        await new Promise((resolve) => (indexedDB.deleteDatabase('godwit client store deleted').onsuccess = resolve))
        store.putOutgoing({ ...message, sequence: 2 })
        await store.close()
        const { outgoing, received } = await store.load()
        await store.close()
        return [outgoing.map(({ sequence }) => sequence), received]
      })()`)
      expect(session).toEqual([[1, 2], [7]])
    })
  })
})
