// Every link of the Markdown pages and of the issue forms that leads into this repository, relative or whole, leads to a
// file, and every #anchor to a heading of it. A package's page is read on the registry too: its links are whole.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { anchorOf } from './markdown-pages.mjs'
import { packageFolders, root } from './prepare.mjs'
import { repositoryUrl } from './repository.mjs'

const forms = '.github/ISSUE_TEMPLATE'
const markdown = (/** @type {string} */ folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(root, folder, name))
const packagePages = packageFolders().flatMap(markdown)
const pages = [...['', 'docs'].flatMap(markdown), ...packagePages]
const home = new RegExp(`^${repositoryUrl()}/(?:blob|tree)/main/`)

/** @param {string} file */
function withoutCode(file) {
  return readFileSync(file, 'utf8').replace(/^ *```[\s\S]*?^ *```/gm, '')
}

/**
 * The anchors of a page's headings.
 * @param {string} file
 */
function anchors(file) {
  return [...withoutCode(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
}

/**
 * What is wrong with a link of a page, if anything.
 * @param {string} page
 * @param {string} link
 */
function problemOf(page, link) {
  const isWhole = home.test(link)
  if (!isWhole && /^[a-z]+:/.test(link)) return undefined
  const [path = '', anchor] = link.replace(home, '').split('#')
  // A path from the site's root is a file of docs/public.
  const from = isWhole ? root : path.startsWith('/') ? join(root, 'docs/public') : dirname(page)
  const target = path === '' ? page : join(from, path)
  if (!isWhole && path !== '' && packagePages.includes(page)) return 'a link of a package begins with https://'
  if (target.startsWith(join(root, 'docs/api'))) return undefined // made when the site is built, which looks itself
  const isThere =
    existsSync(target) && (anchor === undefined || statSync(target).isDirectory() || anchors(target).includes(anchor))
  return isThere ? undefined : 'nothing is there'
}

const links = pages.flatMap((page) =>
  [
    ...withoutCode(page)
      .replace(/`[^`\n]*`/g, '')
      .matchAll(/(?:\]\(|src="|href=")([^)"\s]+)[)"]/g),
  ].map(([, link = '']) => ({ page, link })),
)
for (const name of readdirSync(join(root, forms))) {
  const page = join(root, forms, name)
  const urls = readFileSync(page, 'utf8').match(/https:\/\/\S+/g) ?? []
  links.push(...urls.map((link) => ({ page, link })))
}

const problems = links.flatMap(({ page, link }) => {
  const problem = problemOf(page, link)
  return problem ? [`${relative(root, page)}: ${problem}: ${link}`] : []
})
for (const problem of problems) console.error(problem)
console.log(`${pages.length} pages, ${links.length} links, ${problems.length} broken`)
process.exit(problems.length > 0 ? 1 : 0)
