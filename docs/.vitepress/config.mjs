// The site: what docs/ has as plain Markdown, with the API reference that build.mjs makes.
import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { anchorOf } from '../../scripts/markdown-pages.mjs'
import { readJson } from '../../scripts/prepare.mjs'
import { ownerOf, placeholder, repositoryUrl } from '../../scripts/repository.mjs'

const { homepage } = readJson('package.json')
const { version } = readJson('packages/cli/package.json')
const description = 'MQTT for TypeScript: a broker, a client, the protocol and the tools around them'

const pages = [
  { text: 'Begin', names: ['start', 'glossary', 'examples', 'troubleshooting'] },
  { text: 'In a program', names: ['embed', 'inside-session', 'client', 'error-codes'] },
  {
    text: 'Set up a broker',
    names: ['linux-server', 'docker-compose', 'windows-macos', 'configuration', 'security', 'bridges'],
  },
  {
    text: 'Run it',
    names: [
      'console',
      'operating',
      'monitoring',
      'http-api',
      'upgrade',
      'limits',
      'capacity',
      'durability',
      'cluster',
      'cluster-nodes',
      'cluster-running',
      'performance',
    ],
  },
  { text: 'Plugins', names: ['plugins', 'plugin-webhook', 'plugin-postgres', 'plugin-influx'] },
  { text: 'Together with', names: ['home-assistant', 'zigbee2mqtt', 'node-red'] },
  {
    text: 'Come from elsewhere',
    names: ['moving-from-mosquitto', 'moving-from-other-brokers', 'moving-from-aedes', 'moving-from-mqtt-js'],
  },
  { text: 'Look up', names: ['command-line', 'conformance', 'protocol-coverage', 'durability-figures'] },
]

/**
 * The words of a text or a question: `queue-full` is one, and so are `queue` and `full`. Sent to the browser as text, too.
 * @param {string} text
 */
function tokenize(text) {
  const words = text.split(/[^\p{L}\p{N}_$-]+/u).map((word) => word.replace(/^-+|-+$/g, ''))
  return words
    .flatMap((word) => (word.includes('-') ? [word, ...word.split('-')] : [word]))
    .filter((word) => word !== '')
}

/**
 * The entry of a page that must be there.
 * @param {string} name
 */
function item(name) {
  const text = readFileSync(new URL(`../${name}.md`, import.meta.url), 'utf8')
  return { text: /^# (.+)$/m.exec(text)?.[1]?.replaceAll('`', '') ?? name, link: `/${name}` }
}

/**
 * Links to files of the repository lead to the repository; as long as nobody knows where that is, they are words alone.
 * @param {any} markdown markdown-it's.
 */
function linksToRepository(markdown) {
  const isKnown = ownerOf() !== placeholder
  markdown.core.ruler.push('links-out', (/** @type {any} */ { tokens }) => {
    for (const { children } of tokens) linksOut(children ?? [], isKnown)
  })
}

/**
 * @param {any[]} tokens of one line.
 * @param {boolean} isKnown
 */
function linksOut(tokens, isKnown) {
  let isOut = false
  for (const token of tokens.filter(({ type }) => type.startsWith('link_'))) {
    const path = token.attrGet('href')
    if (path !== null) isOut = path.startsWith('../')
    if (!isOut) continue
    if (!isKnown) Object.assign(token, { type: 'text', tag: '', attrs: null })
    else if (path) token.attrSet('href', path.replace('..', `${repositoryUrl()}/blob/main`))
  }
}

export default defineConfig({
  title: 'Godwit',
  description,
  lang: 'en',
  base: new URL(homepage).pathname,
  markdown: { config: linksToRepository, anchor: { slugify: anchorOf } },
  head: [
    ['link', { rel: 'icon', type: 'image/svg+xml', href: `${new URL(homepage).pathname}favicon.svg` }],
    ['meta', { property: 'og:type', content: 'website' }],
    ['meta', { property: 'og:title', content: 'Godwit: MQTT for TypeScript' }],
    ['meta', { property: 'og:description', content: description }],
    ['meta', { property: 'og:image', content: `${homepage}social.png` }],
    ['meta', { name: 'twitter:card', content: 'summary_large_image' }],
  ],
  themeConfig: {
    logo: '/logo.svg',
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          options: { tokenize },
          searchOptions: {
            // Every word counts before any of them; a heading says best what a chapter is about.
            combineWith: 'AND',
            fuzzy: 0.15,
            prefix: true,
            boost: { title: 6, titles: 2, text: 1 },
            // Guides go before what was measured, this before tables that scripts make, and these before the reference of every method.
            // This function is sent to the browser as text: it knows nothing but what it is given.
            boostDocument: (/** @type {string} */ id) => {
              if (id.includes('/api/')) return 0.03
              if (/protocol-coverage|durability-figures|conformance|examples/.test(id)) return 0.3
              if (id.includes('/performance.')) return 0.6
              if (/\/(error-codes|troubleshooting)\./.test(id)) return 1.5
              return 1
            },
          },
        },
      },
    },
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'API', link: '/api/' },
      {
        text: version,
        items: [
          { text: 'Changes', link: `${repositoryUrl()}/blob/main/CHANGELOG.md` },
          { text: 'Report a weakness', link: `${repositoryUrl()}/blob/main/SECURITY.md` },
        ],
      },
    ],
    socialLinks: [{ icon: 'github', link: repositoryUrl(), ariaLabel: 'The repository' }],
    sidebar: [
      ...pages.map(({ text, names }) => ({ text, items: names.map(item) })),
      { text: 'API', items: [{ text: 'API reference', link: '/api/' }] },
    ],
    outline: { level: [2, 3] },
    footer: { message: `Godwit ${version}, MIT licence` },
  },
})
