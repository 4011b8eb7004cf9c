// Looks at the built site (`npm run docs`) as its readers do, in Chromium at the width of a telephone, a tablet and a desk:
// every link of the site leads to a page and, with #, to a place in it; nothing is wider than the window; no code is behind an
// edge; at a desk no line of code is broken; pictures are there; nothing complains in the console. And asks the search.
//   --pictures FOLDER   leaves a picture of each page at each width there, to be looked at
//   words               only pages whose names contain one of them
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openBrowser } from './browser.mjs'
import { measure } from './measure-page.mjs'
import { PrepareError, report } from './prepare.mjs'
import { dist, fileOf, serveSite, sitePages } from './site-pages.mjs'
import { searchProblems } from './site-search.mjs'

const widths = [390, 768, 1440]
/** A picture of a page ends there: the reference is longer than anybody looks. */
const mostHeight = 6000
/** On a machine that others use too. */
const patienceMs = 120_000
/** Only here is a broken line of code told: on smaller windows it wraps. */
const desk = 1440
/** Pages made from examples/ and doc comments may have longer lines. */
const mayBreakLines = /^(api\/|protocol-coverage|examples)/

/** Links of all pages that lead nowhere, read from the files. @param {readonly string[]} pages */
function linkProblems(pages) {
  /** @type {Map<string, Set<string>>} */
  const ids = new Map()
  const idsOf = (/** @type {string} */ file) => {
    const known = ids.get(file)
    if (known) return known
    const all = new Set([...readFileSync(file, 'utf8').matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => unescaped(id)))
    ids.set(file, all)
    return all
  }
  let count = 0
  const problems = pages.flatMap((page) => {
    const html = readFileSync(join(dist, page), 'utf8')
    const links = new Set([...html.matchAll(/<a[^>]* href="([^"]+)"/g)].map(([, href = '']) => unescaped(href)))
    return [...links].flatMap((href) => {
      const { protocol, host, pathname, hash } = new URL(href, `http://site/${siteBase}${page}`)
      if (protocol !== 'http:' || host !== 'site') return []
      count += 1
      const file = fileOf(pathname)
      const isThere = file && (hash === '' || idsOf(file).has(decodeURIComponent(hash.slice(1))))
      return isThere ? [] : [`${page}: nothing is at ${href}`]
    })
  })
  return { count, problems }
}

/** @param {string} text of an attribute. */
const unescaped = (text) => text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"')

let siteBase = ''

await report(async () => {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { pictures: { type: 'string' } } })
  const all = sitePages()
  const { url, close } = await serveSite()
  siteBase = new URL(url).pathname.slice(1)
  if (values.pictures) mkdirSync(values.pictures, { recursive: true })
  const browser = await openBrowser()
  const links = linkProblems(all)
  const problems = [...links.problems]
  try {
    const pages = all.filter((page) => positionals.length === 0 || positionals.some((word) => page.includes(word)))
    for (const width of widths) {
      const window = await browser.newPage({ viewport: { width, height: 900 } })
      window.setDefaultTimeout(patienceMs)
      let page = ''
      window.on('console', (line) => line.type() === 'error' && problems.push(`${page}: console: ${line.text()}`))
      window.on('pageerror', ({ message }) => problems.push(`${page}: ${message}`))
      for (page of pages) {
        await window.goto(`${url}${page}`, { waitUntil: 'load' })
        const seen = await window.evaluate(measure)
        const lines = width === desk && !mayBreakLines.test(page) ? seen.brokenLines : []
        problems.push(...seen.problems.map((problem) => `${page} at ${width} px: ${problem}`))
        problems.push(...lines.map((line) => `${page} at ${width} px: a line of code is broken: ${line}`))
        if (!values.pictures) continue
        const name = `${page.replaceAll('/', '_').replace('.html', '')}-${width}.png`
        const height = Math.min(mostHeight, await window.evaluate('document.documentElement.scrollHeight'))
        await window.screenshot({
          path: join(values.pictures, name),
          fullPage: true,
          clip: { x: 0, y: 0, width, height },
        })
      }
      await window.close()
    }
    const search = searchProblems()
    problems.push(...search.problems)
    for (const problem of problems) console.error(problem)
    console.log(
      `${pages.length} pages at ${widths.join(', ')} px, ${links.count} links, ${search.asked} questions to the search: ${problems.length} problems`,
    )
  } finally {
    await browser.close()
    close()
  }
  if (problems.length > 0) throw new PrepareError('the site is not as it should be')
})
