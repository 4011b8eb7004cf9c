// What people type into the site's search, and the page that must come first (one of them). The index is the one that the site has built,
// asked with the site's own options.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import MiniSearch from 'minisearch'
import site from '../docs/.vitepress/config.mjs'
import { PrepareError, root } from './prepare.mjs'
import { base, dist } from './site-pages.mjs'

/** As the theme asks it, where the site says nothing else. */
const themeOptions = { fuzzy: 0.2, prefix: true, boost: { title: 4, text: 2, titles: 1 } }

/** @type {readonly (readonly [query: string, page: string])[]} */
const questions = [
  ['password', 'security'],
  ['passwords', 'security'],
  ['add a user', 'security'],
  ['access rules', 'security'],
  ['acl', 'security|configuration'],
  ['tls', 'security|configuration|troubleshooting'],
  ['lets encrypt', 'linux-server'],
  ['raspberry pi', 'linux-server'],
  ['docker', 'docker-compose'],
  ['compose', 'docker-compose'],
  ['home assistant', 'home-assistant'],
  ['windows', 'windows-macos'],
  ['macos', 'windows-macos'],
  ['backup', 'upgrade|configuration'],
  ['restore', 'upgrade'],
  ['upgrade', 'upgrade'],
  ['cluster', 'cluster|configuration'],
  ['high availability', 'cluster'],
  ['nats', 'cluster'],
  ['drain a node', 'cluster-running'],
  ['not-serving', 'error-codes|http-api'],
  ['deploy a cluster', 'cluster-running'],
  ['memory', 'capacity'],
  ['disk', 'capacity'],
  ['limits', 'limits|configuration'],
  ['retain', 'glossary'],
  ['retained message', 'glossary'],
  ['qos', 'glossary'],
  ['session', 'glossary'],
  ['will', 'glossary'],
  ['openapi', 'http-api'],
  ['console', 'console|security'],
  ['topic tree', 'console'],
  ['prometheus', 'monitoring'],
  ['grafana', 'monitoring'],
  ['mosquitto', 'moving-from-mosquitto'],
  ['mqtt.js', 'moving-from-mqtt-js'],
  ['aedes', 'moving-from-aedes'],
  ['embed', 'embed'],
  ['hooks', 'embed'],
  ['bridge', 'bridges|examples|glossary'],
  ['session inside the process', 'inside-session'],
  ['durable reader', 'inside-session|examples'],
  ['plugin', 'plugins'],
  ['webhook', 'plugin-webhook'],
  ['postgres', 'plugin-postgres'],
  ['postgresql', 'plugin-postgres'],
  ['sql', 'plugin-postgres'],
  ['influxdb', 'plugin-influx'],
  ['line protocol', 'plugin-influx'],
  ['typescript', 'start'],
  ['web page', 'client|examples'],
  ['websocket', 'security'],
  ['capacity', 'capacity'],
  ['service', 'operating'],
  ['systemd', 'operating|linux-server'],
]

/** The words of the operating system and of TLS that people copy out of a log. */
const systemErrors = [
  'ECONNREFUSED',
  'connect ECONNREFUSED 127.0.0.1:1883',
  'ENOTFOUND',
  'getaddrinfo ENOTFOUND',
  'ETIMEDOUT',
  'EADDRINUSE',
  'address already in use',
  'EACCES',
  'EMFILE',
  'ENOSPC',
  'self-signed certificate',
  'unable to get local issuer certificate',
  'Not authorized',
  'Cannot use import statement outside a module',
]

/** Codes of programs and reasons of the log, in docs/error-codes.md: those that are no word of the language besides. */
function codes() {
  const page = readFileSync(join(root, 'docs/error-codes.md'), 'utf8')
  const inTables = [...page.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, code = '']) => code)
  const inLines = [...page.matchAll(/^Code: (.+)\.$/gm)].flatMap(([, line = '']) =>
    line.replaceAll('`', '').split(', '),
  )
  return [...new Set([...inTables, ...inLines])].filter((code) => code.includes('-'))
}

/** Messages that docs/troubleshooting.md shows. */
function messages() {
  const page = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
  return [...page.matchAll(/^## (.+)$/gm), ...page.matchAll(/^`([^`…]{12,})`/gm)].map(([, text = '']) =>
    text.replaceAll('`', ''),
  )
}

/** What the search does not answer as it should; each a line. */
export function searchProblems() {
  const chunks = join(dist, 'assets/chunks')
  const file = readdirSync(chunks).find((name) => name.startsWith('@localSearchIndexroot'))
  if (!file) throw new PrepareError('the site has no search index')
  const [, json = ''] = /^const \w+=(['"`][\s\S]*['"`]);export/.exec(readFileSync(join(chunks, file), 'utf8')) ?? []
  const { options } = /** @type {any} */ (site).themeConfig.search
  const index = MiniSearch.loadJSON(evaluated(json), {
    fields: ['title', 'titles', 'text'],
    storeFields: ['title', 'titles'],
    ...options.miniSearch.options,
    searchOptions: { ...themeOptions, ...options.miniSearch.searchOptions },
  })
  const asked = [
    ...questions.map(([query, page]) => ({ query, pages: page.split('|') })),
    ...systemErrors.map((query) => ({ query, pages: ['troubleshooting'] })),
    ...messages().map((query) => ({ query, pages: ['troubleshooting', 'error-codes'] })),
    ...codes().map((query) => ({ query, pages: ['error-codes', 'troubleshooting'] })),
  ]
  const problems = asked.flatMap(({ query, pages }) => {
    const [first] = index.search(query)
    const found = first ? String(first.id).slice(base.length) : 'nothing'
    return pages.some((page) => found.startsWith(`${page}.html`))
      ? []
      : [`searching "${query}" finds ${found} first, not ${pages.join(' or ')}`]
  })
  return { asked: asked.length, problems }
}

/**
 * The string that a string literal of JavaScript stands for.
 * @param {string} literal
 * @returns {string}
 */
const evaluated = (literal) => new Function(`return ${literal}`)()
