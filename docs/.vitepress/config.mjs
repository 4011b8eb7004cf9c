// The site: what docs/ has as plain Markdown, with the API reference that build.mjs makes.
import { existsSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'

const pages = [
  { text: 'Start', names: ['start', 'embed', 'client', 'examples'] },
  {
    text: 'Run it',
    names: ['operating', 'monitoring', 'configuration', 'security', 'durability', 'performance', 'command-line'],
  },
  {
    text: 'Come from elsewhere',
    names: ['moving-from-mosquitto', 'moving-from-other-brokers', 'moving-from-aedes', 'moving-from-mqtt-js'],
  },
  { text: 'Together with', names: ['home-assistant', 'zigbee2mqtt', 'node-red'] },
  { text: 'Look up', names: ['error-codes', 'conformance', 'protocol-coverage', 'durability-figures'] },
]

/** @param {string} name */
function item(name) {
  const file = new URL(`../${name}.md`, import.meta.url)
  if (!existsSync(file)) return []
  return [{ text: /^# (.+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? name, link: `/${name}` }]
}

/**
 * Files of the repository are not on the site: there, a link to one is its words alone.
 * @param {any} markdown markdown-it's.
 */
function withoutLinksOut(markdown) {
  markdown.core.ruler.push('links-out', ({ tokens }) => {
    for (const { children } of tokens) {
      let isOut = false
      for (const token of children ?? []) {
        if (token.type === 'link_open') isOut = token.attrGet('href')?.startsWith('../') ?? false
        if (isOut && token.type.startsWith('link_')) Object.assign(token, { type: 'text', tag: '', attrs: null })
      }
    }
  })
}

export default defineConfig({
  title: 'Godwit',
  description: 'MQTT for TypeScript: a broker, a client, the protocol and the tools around them',
  markdown: { config: withoutLinksOut },
  themeConfig: {
    search: { provider: 'local' },
    nav: [{ text: 'API', link: '/api/' }],
    sidebar: [
      ...pages.map(({ text, names }) => ({ text, items: names.flatMap(item) })),
      { text: 'API', items: [{ text: 'API reference', link: '/api/' }] },
    ],
  },
})
