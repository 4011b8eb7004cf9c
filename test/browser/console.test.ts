// The console in Chromium, against `godwit broker`: the walk that its documentation tells of, in every state, read by axe.
import { mkdirSync } from 'node:fs'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ConsoleStage, hostile } from './console-stage.js'
import { pretendCluster, pretendConnections } from './pretended-answers.js'
import { missing } from './site.js'

/** Where pictures of the walk go; without it, none are taken. */
const pictures = process.env.GODWIT_TEST_PICTURES

let stage: ConsoleStage
let page: Page

/** Waits as long as the test may. */
const seen = (locator: Locator) => locator.first().waitFor({ state: 'visible' })
const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50))
}

async function choose(name: string): Promise<void> {
  const opener = page.getByRole('button', { name: 'Menu' })
  if (await opener.isVisible()) await opener.click()
  await page.getByRole('navigation').getByRole('link', { name, exact: true }).click()
}

async function go(name: string): Promise<void> {
  await choose(name)
  await seen(page.getByRole('heading', { level: 1, name }))
}

async function picture(name: string): Promise<void> {
  if (pictures === undefined) return
  const toast = page.locator('.toast').getByRole('button', { name: 'Close' })
  while ((await toast.count()) > 0)
    await toast
      .first()
      .click({ timeout: 1_000 })
      .catch(() => {}) // it may go by itself
  await page.evaluate('scrollTo(0, 0)')
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: `${pictures}/${name}-${page.viewportSize()?.width}.png` })
}

/** The household's topics, with one that has a curve. */
async function pictureOfTopics(): Promise<void> {
  const searching = page.getByRole('searchbox')
  await searching.fill('')
  const closed = page.locator('[role=treeitem][aria-expanded=false]')
  for (const name of ['villa', 'kitchen']) await closed.filter({ hasText: name }).first().click()
  await page.getByRole('treeitem', { name: 'temperature' }).first().click()
  await page.waitForTimeout(1_000)
  await picture('topics')
  await searching.fill('hall/door')
  await page.getByRole('treeitem', { name: 'house/hall/door' }).click()
}

/** What a reader of WCAG AA finds wrong with what is shown. */
const expectAccessible = async (): Promise<void> => expect(await stage.violations(page)).toEqual([])

describe.skipIf(missing)(`the console${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    stage = await ConsoleStage.open()
    if (pictures !== undefined) await stage.populate()
    page = await stage.tab()
  }, 60_000)
  afterAll(() => stage?.close())
  beforeEach(() => {
    stage.troubles.length = 0
  })
  afterEach(async () => {
    expect(await page.evaluate('window.harmed')).toBeUndefined()
  })

  test('lets in by a link, once; its code does not stay in the address', async () => {
    const link = await stage.link()
    await page.goto(link)
    await seen(page.getByRole('heading', { name: 'Overview' }))
    expect(new URL(page.url()).hash).toBe('#/')
    const other = await stage.tab()
    await page.context().clearCookies()
    await other.goto(link)
    await seen(other.getByText('this link has been used'))
    await other.close()
    await page.goto(await stage.link())
    await page.reload()
    await seen(page.getByRole('heading', { name: 'Overview' }))
  })

  test('shows live figures, and what changes', { timeout: 90_000 }, async () => {
    const clients = page.getByRole('region', { name: 'Clients' })
    await until(async () => /\d/.test(await clients.innerText()))
    await stage.client('lamp', { username: undefined })
    const busy = await stage.client('thermostat')
    await seen(page.getByText('lamp has connected'))
    const other = await stage.tab() // which has no stream of its own: the first one tells it
    await other.goto(page.url())
    await seen(other.getByRole('heading', { name: 'What changed lately' }))
    await stage.client('told-to-both')
    for (const tab of [page, other]) await seen(tab.getByText('told-to-both has connected'))
    await other.close()
    const published = page.getByRole('region', { name: 'Messages in' })
    for (let n = 0; n < 50; n++) await busy.publish('house/kitchen/temp', `${20 + n / 10}`, { qos: 1 })
    await until(
      async () => !/^0\/s/m.test(await published.innerText()) && /[1-9][\d.]*\/s/.test(await published.innerText()),
    )
    expect(await page.locator('canvas').count()).toBe(8)
    await expectAccessible()
    if (pictures !== undefined) await page.waitForTimeout(45_000) // for curves that can be seen
    await picture('overview')
    expect(stage.troubles).toEqual([])
  })

  test('fills a tree of topics, decodes what is in them, and shows hostile names and payloads as text', async () => {
    const house = await stage.client('house')
    await house.publish('house/hall/door', JSON.stringify({ open: false, battery: 87 }), { qos: 1, retain: true })
    await house.publish(`house/${hostile}`, hostile, { qos: 1, retain: true })
    await go('Topics')
    await seen(page.getByRole('treeitem', { name: 'house' }))
    await page.getByRole('tree').focus()
    await page.keyboard.press('ArrowRight')
    await seen(page.getByRole('treeitem').filter({ hasText: hostile }))
    await page.getByRole('treeitem').filter({ hasText: hostile }).click()
    await seen(page.locator('pre', { hasText: hostile }))
    await page.getByRole('checkbox', { name: 'With $SYS' }).check()
    await seen(page.getByRole('treeitem', { name: '$SYS' }))
    await page.getByRole('searchbox').fill('hall')
    await page.getByRole('treeitem', { name: 'house/hall/door' }).click()
    await seen(page.locator('pre', { hasText: '"battery": 87' }))
    await house.publish('house/hall/door', JSON.stringify({ open: true, battery: 87 }), { qos: 1, retain: true })
    await page.getByRole('checkbox', { name: 'Show what has changed' }).check()
    await seen(page.locator('.gone', { hasText: '"open": false' }))
    await seen(page.locator('.added', { hasText: '"open": true' }))
    await seen(page.getByRole('img', { name: /^Curve/ }))
    await expectAccessible()
    if (pictures !== undefined) await pictureOfTopics()
    expect(stage.troubles).toEqual([])
  })

  test('fills the tree while godwit bench runs', async () => {
    const searching = page.getByRole('searchbox')
    await searching.fill('mill/')
    const bench = await stage.bench('mill')
    let isRunning = true
    void bench.ended.then(() => {
      isRunning = false
    })
    for (let n = 0; n < 5; n++) await seen(page.getByRole('treeitem', { name: `mill/${n}` }))
    const messages = async () =>
      Number(/messages: ([\d,]+)/.exec(await page.getByRole('main').innerText())?.[1]?.replaceAll(',', ''))
    const first = await messages()
    await until(async () => (await messages()) > first)
    expect(isRunning).toBe(true)
    await bench.success()
    await searching.fill('hall')
    await page.getByRole('treeitem', { name: 'house/hall/door' }).click()
  })

  test('edits a retained message, and deletes it', async () => {
    await page.getByRole('button', { name: 'Edit and publish' }).click()
    await page.getByRole('textbox', { name: 'Payload' }).fill('{"open":"ajar"}')
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await seen(page.locator('pre', { hasText: '"ajar"' }))
    const later = await stage.client('later')
    const kept: string[] = []
    await later.subscribe('house/hall/door', { onMessage: (message) => void kept.push(message.text()) })
    await until(async () => kept.length > 0)
    expect(kept).toEqual(['{"open":"ajar"}'])
    await page.getByRole('button', { name: 'Delete what is retained' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete what is retained' }).click()
    await seen(page.getByText('The payload is empty.'))
    const latest = await stage.client('latest')
    const nothing: string[] = []
    await latest.subscribe('house/hall/#', { qos: 1, onMessage: (message) => void nothing.push(message.text()) })
    await latest.publish('house/hall/end', 'end', { qos: 1 })
    await until(async () => nothing.length > 0)
    expect(nothing).toEqual(['end'])
  })

  test('lists what is retained, edits it with its properties, and deletes all that match', async () => {
    const house = await stage.client('house-3')
    const properties = { contentType: 'text/plain', messageExpiryInterval: 3_600 }
    await house.publish('old/attic/lamp', 'off', { qos: 1, retain: true, properties })
    await house.publish('old/cellar', 'x'.repeat(2_000), { qos: 1, retain: true })
    await go('Retained')
    const topics = async () => (await page.locator('tbody .linkish').allInnerTexts()).filter((name) => name !== hostile)
    const filter = page.getByRole('searchbox')
    await filter.fill('old/#')
    await until(async () => (await topics()).join() === 'old/attic/lamp,old/cellar')
    await seen(page.getByRole('cell', { name: 'in 59 min' }))
    await page.getByLabel('Order').selectOption('Largest first')
    await until(async () => (await topics()).join() === 'old/cellar,old/attic/lamp')
    await expectAccessible()
    await page.getByRole('button', { name: 'old/attic/lamp' }).click()
    const dialog = page.getByRole('dialog', { name: 'Retained for old/attic/lamp' })
    await seen(dialog.getByText('contentType=text/plain'))
    await seen(dialog.locator('pre', { hasText: 'off' }))
    await expectAccessible()
    await picture('retained-message')
    await dialog.getByRole('button', { name: 'Edit and publish' }).click()
    await dialog.getByRole('textbox', { name: 'Payload' }).fill('dimmed')
    await dialog.getByRole('button', { name: 'Publish', exact: true }).click()
    await seen(dialog.locator('pre', { hasText: 'dimmed' }))
    await seen(dialog.getByText('contentType=text/plain'))
    await dialog.getByRole('button', { name: 'Close' }).click()
    const [viewer, late] = [await stage.client('late'), [] as string[]]
    await viewer.subscribe('old/attic/#', { onMessage: (message) => void late.push(message.text()) })
    await until(async () => late.length > 0)
    expect(late).toEqual(['dimmed'])
    await page.getByRole('button', { name: 'Delete all that match' }).click()
    await page
      .getByRole('dialog', { name: 'Delete all retained messages that match old/#?' })
      .getByRole('button', { name: 'Delete all that match' })
      .click()
    await seen(page.getByText('2 retained messages were deleted.'))
    await seen(page.getByText('Nothing is retained for a topic that matches.'))
    await filter.fill('old/#/no')
    await seen(page.getByText('This did not work'))
    await filter.fill('')
    await page.getByLabel('Order').selectOption('By topic')
    await seen(page.locator('tbody .linkish', { hasText: hostile }))
    await picture('retained')
  })

  test('finds a client, and disconnects it', async () => {
    const lamp = await stage.client('lamp-2', { reconnect: false })
    await stage.client(hostile)
    await go('Clients')
    await seen(page.getByRole('button', { name: hostile }))
    await expectAccessible()
    await picture('clients')
    await page.getByRole('searchbox').fill('LAMP-2')
    await until(async () => (await page.getByRole('row').count()) === 2)
    await page.getByRole('button', { name: 'lamp-2' }).click()
    await seen(page.getByRole('dialog', { name: 'Client lamp-2' }))
    await expectAccessible()
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
    await page.getByRole('dialog', { name: 'Disconnect lamp-2?' }).getByRole('button', { name: 'Disconnect' }).click()
    await seen(page.getByText('lamp-2 is disconnected.'))
    await until(async () => !lamp.connected)
    await seen(page.getByText('No client that is connected matches.'))
  })

  test('adds a user, who may connect then, and removes it, who may not', async () => {
    const asAnn = () => stage.client('ann-1', { username: 'ann', password: 'wonder', reconnect: false })
    await expect(asAnn()).rejects.toThrow()
    await go('Access')
    const users = page.locator('section', { has: page.getByRole('heading', { name: 'Users', exact: true }) })
    await users.getByLabel('User name').fill('ann')
    await users.getByLabel('Password').fill('wonder')
    await users.getByRole('button', { name: 'Save' }).click()
    await seen(page.getByText('ann is added, and may connect now.'))
    const ann = await asAnn()
    await expectAccessible()
    await picture('access')
    await users.getByRole('button', { name: 'Remove ann' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await until(async () => !ann.connected)
    await expect(asAnn()).rejects.toThrow()
  })

  test('says why something may not be, edits the rule, and it may', async () => {
    await page.getByLabel('Topic, or filter to subscribe to').fill('house/garage/door')
    await page.getByRole('button', { name: 'Ask' }).click()
    await seen(page.getByText('No, it may not.'))
    await seen(page.getByText(/deny publish house\/garage\/#: everybody \(.*rules\.yaml:3:5\)/))
    await page.getByRole('button', { name: 'Remove 0' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await seen(page.getByText('The rule is removed.'))
    await page.getByRole('button', { name: 'Ask' }).click()
    await seen(page.getByText('Yes, it may.'))
  })

  test('explains a drop and a refusal, with the setting that governs it', async () => {
    const away = await stage.client('away', { sessionExpirySeconds: 3_600 })
    await away.subscribe('house/#', { qos: 1 })
    await away.close()
    const house = await stage.client('house-2')
    for (let n = 0; n < 30; n++) await house.publish('house/attic/temp', `${n}`, { qos: 1 })
    await go('Drops and refusals')
    await seen(page.getByText('queue-full'))
    await seen(page.getByRole('link', { name: 'limits.maxQueuedMessages' }))
    await seen(page.getByText(/user name or password is wrong/))
    await expectAccessible()
    await picture('drops')
    await page.getByRole('link', { name: 'limits.maxQueuedMessages' }).first().click()
    await seen(page.getByRole('cell', { name: /godwit\.yaml:5:\d+/ }))
  })

  test('shows what waits in a session, and ends it', async () => {
    await go('Sessions')
    await page.getByRole('button', { name: 'away' }).click()
    await seen(page.getByRole('dialog').getByRole('cell', { name: 'house/attic/temp' }))
    await page.getByRole('checkbox', { name: 'Show what is in them' }).check()
    await seen(page.getByRole('dialog').getByRole('cell', { name: hostile, exact: true }))
    await expectAccessible()
    await picture('session')
    await page.getByRole('dialog').getByRole('button', { name: 'End this session' }).click()
    await page
      .getByRole('dialog', { name: /^End the session/ })
      .getByRole('button', { name: 'End this session' })
      .click()
    await seen(page.getByText('The session of away has ended.'))
  })

  test('traces a client, publishes with properties, and tells the log', async () => {
    await go('Trace')
    await page.getByLabel('Client Identifier').fill('traced')
    await page.getByRole('button', { name: 'Trace', exact: true }).click()
    await seen(page.getByText('Live'))
    const traced = await stage.client('traced')
    const got: unknown[] = []
    await traced.subscribe('told/#', {
      onMessage: ({ topic, properties }) => void got.push([topic, properties?.contentType]),
    })
    await seen(page.getByRole('cell', { name: 'SUBSCRIBE' }))
    await expectAccessible()
    await picture('trace')
    await go('Publish')
    await page.getByLabel('Topic', { exact: true }).fill('told/x')
    await page.getByLabel('Payload', { exact: true }).fill('{"a":1}')
    await page.getByText('Properties of MQTT 5.0').click()
    await page.getByLabel('Content type').fill('application/json')
    await expectAccessible()
    await picture('publish')
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await until(async () => got.length > 0)
    expect(got).toEqual([['told/x', 'application/json']])
    await go('Log')
    await seen(page.getByText('published'))
    await seen(page.getByText('Live'))
    // Who asks gets nothing from here on: what comes was told.
    await page.route('**/api/v1/log?*', (route) => route.fulfill({ json: { lines: [] } }))
    await page.evaluate(async () => {
      const content = { topic: 'told/later', payload: '1' }
      const headers = { 'content-type': 'application/json' }
      await fetch('/api/v1/publish', { method: 'POST', headers, body: JSON.stringify(content) })
    })
    await seen(page.getByText('topic=told/later'))
    await page.unroute('**/api/v1/log?*')
    await expectAccessible()
    await picture('log')
  })

  test('makes a backup, reloads, and shows what is in force', async () => {
    await go('Settings')
    await page.getByRole('button', { name: 'Make a backup' }).click()
    await seen(page.getByText(/^godwit-.*\.backup is made/))
    await page.getByRole('button', { name: 'Reload' }).click()
    await seen(page.getByText(/^Taken up: /))
    await expectAccessible()
    await picture('settings')
    await go('Subscriptions')
    await expectAccessible()
  })

  test('says of a broker that is alone that it is no node of a cluster', async () => {
    await go('Cluster')
    await seen(page.getByText('This broker is alone'))
    await expectAccessible()
    await picture('cluster-alone')
  })

  test('shows a cluster: who serves, who is behind, and what is wrong; and has another node take over', async () => {
    const plant = await pretendCluster(page)
    await go('Overview')
    const card = page.locator('section', { has: page.getByRole('heading', { name: 'Cluster plant' }) })
    await seen(card.getByText('follows, 3 frames behind'))
    await expectAccessible()
    await picture('cluster-overview')
    await go('Cluster')
    await seen(page.getByText('What is acknowledged is safe on a majority of the servers of the log.'))
    await seen(page.getByRole('row', { name: /^b follows/ }))
    await expectAccessible()
    await picture('cluster')
    plant.is({ held: 'silent', silentSeconds: 21, nodes: [plant.node('a', 'owner'), plant.node('b', 'diverged')] })
    await seen(page.getByText('NATS has not answered for 21 s: nothing is acknowledged until it does.'))
    await seen(page.locator('.badge.bad', { hasText: 'diverged' }))
    await expectAccessible()
    await picture('cluster-trouble')
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await expectAccessible()
    await picture('cluster-trouble')
    await page.setViewportSize({ width: 1_280, height: 800 })
    await page.getByRole('button', { name: 'Hand over' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Hand over' }).click()
    await seen(page.getByText('This node lets go: another one takes over.'))
    expect(plant.handedOver).toBe(1)
    plant.fails()
    await seen(page.getByText('This did not work'))
    await expectAccessible()
    await plant.end()
  })

  test('shows at a node that follows the cluster, and who serves, whatever page is asked for; and goes on when it serves', async () => {
    const plant = await pretendCluster(page)
    plant.follows()
    await choose('Overview')
    await seen(page.getByRole('heading', { name: 'a serves, and this node follows' }))
    expect(await page.getByRole('link', { name: 'Its console: https://a.plant/' }).getAttribute('href')).toBe(
      'https://a.plant/',
    )
    expect(await page.getByRole('button', { name: 'Hand over' }).count()).toBe(0)
    await expectAccessible()
    await picture('cluster-follows')
    await choose('Clients')
    await seen(page.getByRole('heading', { name: 'a serves, and this node follows' }))
    await go('Log')
    await seen(page.getByText('Live'))
    await go('Settings')
    await seen(page.getByRole('button', { name: 'Reload' }))
    await plant.end()
    await go('Overview')
  })

  test('shows bridges and plugins: which are away, since when and why, and what waits', async () => {
    await go('Bridges and plugins')
    await seen(page.getByText('No bridge is configured'))
    await seen(page.getByText('No plugin is configured'))
    await expectAccessible()
    const pretended = await pretendConnections(page)
    await seen(page.getByRole('row', { name: /^cloud connected/ }))
    await seen(page.getByRole('row', { name: /^site-2 tries again 3 min .*2 expired, 1 loop.*ECONNREFUSED/ }))
    await seen(page.getByRole('row', { name: /^messages wait/ }))
    await expectAccessible()
    await picture('connections')
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
    await expectAccessible()
    await picture('connections')
    await page.setViewportSize({ width: 1_280, height: 800 })
    await pretended.end()
  })

  test.each([['light'], ['dark']] as const)('is read at 390 pixels, in %s colours', async (colorScheme) => {
    await page.setViewportSize({ width: 390, height: 844 })
    await page.emulateMedia({ colorScheme })
    for (const name of ['Overview', 'Topics', 'Retained', 'Clients', 'Access', 'Log', 'Settings']) {
      await go(name)
      await seen(page.getByRole('main').locator('section, form, table, ol'))
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390)
      await expectAccessible()
      await picture(`${name.toLowerCase()}-${colorScheme}`)
    }
    await page.setViewportSize({ width: 1_280, height: 800 })
    await page.emulateMedia({ colorScheme: 'light' })
  })

  test('says to a viewer what is not for it', async () => {
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByLabel('Token').fill(await stage.token('viewer'))
    await expectAccessible()
    await page.getByRole('button', { name: 'Log in' }).click()
    await seen(page.getByText('viewer (viewer)'))
    await go('Topics')
    await seen(page.getByText('Not for this role'))
    await go('Retained')
    expect(await page.getByRole('button', { name: 'Delete all that match' }).count()).toBe(0)
    await page.locator('tbody .linkish').first().click()
    await seen(page.getByText('What is in it is shown to operators.'))
    expect(await page.getByRole('dialog').getByRole('button', { name: 'Delete it' }).count()).toBe(0)
    await expectAccessible()
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click()
    await go('Access')
    await seen(page.getByText('Not for this role'))
    await expectAccessible()
  })

  test('says when the broker is gone, and goes on when it is back', async () => {
    await go('Overview')
    await stage.stopBroker()
    await seen(page.getByText(/The server has not answered for/))
    await expectAccessible()
    await picture('lost')
    await stage.startBroker()
    await seen(page.getByLabel('Token')) // logins end with the process
    await page.getByLabel('Token').fill(await stage.token('operator'))
    await page.getByRole('button', { name: 'Log in' }).click()
    await seen(page.getByRole('region', { name: 'Clients' }))
  })
})
