// Draws the pictures of README.md and of the site into docs/public. With `--check` it only compares, and fails when one is
// out of date; social.png is made of social.svg by Chromium (`--png`), because chats show no SVG.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PrepareError, report, root } from '../prepare.mjs'
import { badges } from './badges.mjs'
import { chart } from './chart.mjs'
import { favicon, logo } from './logo.mjs'
import { social, socialSize } from './social.mjs'
import { terminal } from './terminal.mjs'

const folder = join(root, 'docs/public')

await report(async () => {
  const recording = await terminal()
  const pictures = {
    'logo.svg': logo(),
    'favicon.svg': favicon(),
    'badges.svg': badges(),
    'chart.svg': chart(),
    'chart-narrow.svg': chart(true),
    'social.svg': social(),
    'terminal.svg': recording.wide,
    'terminal-narrow.svg': recording.narrow,
  }
  mkdirSync(folder, { recursive: true })
  const stale = Object.entries(pictures).filter(
    ([name, text]) => !existsSync(join(folder, name)) || readFileSync(join(folder, name), 'utf8') !== text,
  )
  const names = stale.map(([name]) => `docs/public/${name}`)
  if (process.argv.includes('--check')) {
    if (stale.length > 0)
      throw new PrepareError(`${names.join(', ')}: out of date; run npm run pictures and commit them`)
    console.log(`${Object.keys(pictures).length} pictures are as their scripts draw them`)
    return
  }
  for (const [name, text] of stale) writeFileSync(join(folder, name), text)
  console.log(stale.length > 0 ? `drawn: ${names.join(', ')}` : 'all pictures are as they were')
  if (process.argv.includes('--png')) await photograph(pictures['social.svg'], join(folder, 'social.png'))
})

/**
 * @param {string} svg
 * @param {string} file
 */
async function photograph(svg, file) {
  const { openBrowser } = await import('../browser.mjs')
  const browser = await openBrowser()
  try {
    const page = await browser.newPage({ viewport: socialSize })
    await page.setContent(`<style>body { margin: 0 }</style>${svg}`)
    await page.screenshot({ path: file })
  } finally {
    await browser.close()
  }
}
