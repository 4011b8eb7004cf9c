// Runs every example beside a broker; each must print what its comments say. Pages are opened in Chromium.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import { browserMissing, openBrowser } from './browser.mjs'
import { root } from './prepare.mjs'
import { runProgram } from './run-program.mjs'

const folder = join(root, 'examples')
const out = join(folder, '.out')
const names = readdirSync(folder).filter((name) => name.endsWith('.ts'))
/** @type {string[]} */
const problems = []

/**
 * A page of a site, in Chromium.
 * @param {import('playwright-core').Browser} browser
 * @param {string} name
 * @param {string} wanted what it shows in the end.
 */
async function openPage(browser, name, wanted) {
  const site = await serveExamples()
  const listener = await broker.listen({ port: 0, websocket: { origins: [site.url] } })
  site.brokerPort = listener.port
  const page = await browser.newPage()
  /** @type {string[]} */
  const complaints = []
  page.on('console', (line) => line.type() === 'error' && complaints.push(line.text()))
  page.on('pageerror', ({ message }) => complaints.push(message))
  await page.goto(`${site.url}/${name}`)
  const shown = await page
    .getByText(wanted)
    .waitFor({ timeout: 30_000 })
    .then(
      () => true,
      () => false,
    )
  if (shown) console.log(`examples/${name}: ${wanted}`)
  else problems.push(`examples/${name} never shows "${wanted}": ${complaints.join('; ')}`)
  await page.close()
  site.close()
}

/** Serves examples/ with the packages as npm would have installed them beside it. */
async function serveExamples() {
  const site = { url: '', brokerPort: 0, close: () => {} }
  const server = createServer(({ url = '/' }, response) => {
    const file = join(
      root,
      url.startsWith('/node_modules/@godwit/') ? url.replace('/node_modules/@godwit/', 'packages/') : `examples${url}`,
    )
    if (!existsSync(file)) return void response.writeHead(404).end()
    const isPage = file.endsWith('.html')
    response.setHeader('Content-Type', isPage ? 'text/html' : 'text/javascript')
    const text = readFileSync(file, 'utf8')
    response.end(isPage ? text.replace('localhost:8083', `localhost:${site.brokerPort}`) : text)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  site.url = `http://localhost:${typeof address === 'object' ? address?.port : ''}`
  site.close = () => {
    server.closeAllConnections()
    server.close()
  }
  return site
}

/** The pages, or why not. */
async function openPages() {
  const reason = browserMissing()
  if (reason !== undefined && process.env.GODWIT_TEST_REQUIRE_PEERS !== '1') {
    console.log(`the pages are left out: ${reason}`)
    return
  }
  const browser = await openBrowser()
  try {
    for (const name of ['web-page.html', 'script-tag.html']) {
      await openPage(browser, name, 'page/greeting: hello from the page')
    }
  } finally {
    await browser.close()
  }
}

/** A configuration, as `godwit broker` would read it. @param {string} name */
function checkConfiguration(name) {
  const command = [join(root, 'packages/cli/bin/godwit.js'), 'config', 'check', join(folder, name)]
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' })
  if (status === 0) console.log(`examples/${name}: ${stdout.trim()}`)
  else problems.push(`examples/${name}: ${stderr.trim()}`)
}

const broker = await createBroker()
const { port } = await broker.listen({ port: 0 })
mkdirSync(out, { recursive: true })
try {
  for (const name of names) {
    const source = readFileSync(join(folder, name), 'utf8')
    const lines = source.trimEnd().split('\n').length
    if (lines >= 40) problems.push(`examples/${name} has ${lines} lines; an example has fewer than 40`)
    const done = await runProgram({
      name: `examples/${name}`,
      source,
      file: join(out, name.replace(/\.ts$/, '.mjs')),
      port,
    })
    problems.push(...done.problems)
    if (done.problems.length === 0) console.log(`examples/${name}: ${done.output.trim().split('\n').join(' | ')}`)
  }
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.yaml'))) checkConfiguration(name)
  await openPages()
} finally {
  rmSync(out, { recursive: true, force: true })
  await broker.close()
}

for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)
