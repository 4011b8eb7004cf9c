// Every relative link of the Markdown pages leads to a file, and every #anchor to a heading of it.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { packageFolders, root } from './prepare.mjs'

const markdown = (/** @type {string} */ folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(root, folder, name))
const pages = ['', 'docs', ...packageFolders()].flatMap(markdown)

/** @param {string} file */
function withoutCode(file) {
  return readFileSync(file, 'utf8').replace(/^ *```[\s\S]*?^ *```/gm, '')
}

/**
 * The anchors of a page's headings, as GitHub and VitePress make them of plain words.
 * @param {string} file
 */
function anchors(file) {
  return [...withoutCode(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

let problems = 0
for (const page of pages) {
  for (const [, link = ''] of withoutCode(page)
    .replace(/`[^`\n]*`/g, '')
    .matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(link)) continue
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    if (target.startsWith(join(root, 'docs/api'))) continue // made when the site is built, which looks itself
    const isThere =
      existsSync(target) && (anchor === undefined || statSync(target).isDirectory() || anchors(target).includes(anchor))
    if (isThere) continue
    problems += 1
    console.error(`${relative(root, page)}: nothing is at ${link}`)
  }
}
console.log(`${pages.length} pages, ${problems} broken links`)
process.exit(problems > 0 ? 1 : 0)
