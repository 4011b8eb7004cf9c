// Writes docs/configuration.md from the schema of the configuration and the doc comments of the broker's limits, and these
// for the schema itself. With `--check` it only compares, and fails when one of them is out of date.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { jsonSchema } from '../packages/cli/dist/config/schema.js'
import { effectOf } from '../packages/cli/dist/config/taken-up.js'
import { root } from './prepare.mjs'

const page = join(root, 'docs', 'configuration.md')
const descriptions = join(root, 'packages/cli/src/config/limit-descriptions.ts')

/** @typedef {{ description?: string, type?: string, enum?: unknown[], anyOf?: Property[], const?: unknown, properties?: Record<string, Property>, items?: Property, default?: unknown }} Property */

const { properties } = /** @type {{ properties: Record<string, Property> }} */ (jsonSchema())

/** The doc comment of each limit. */
const limits = [
  ...readFileSync(join(root, 'packages/broker/src/limits.ts'), 'utf8').matchAll(
    /\/\*\* ([^*]+(?:\*(?!\/)[^*]*)*) \*\/\n {2}readonly (\w+): number/g,
  ),
].map(([, text = '', name = '']) => /** @type {const} */ ([name, text.replace(/\s*\n\s*\*\s*/g, ' ')]))

/**
 * @param {Property} property
 * @returns {string}
 */
function kind({ type, enum: words, anyOf, const: value, properties: own, items }) {
  if (own) return 'see below'
  if (items) return items.properties ? 'a list, see below' : 'a list'
  if (words) return words.map((word) => `\`${word}\``).join(', ')
  if (value !== undefined) return `\`${value}\``
  if (anyOf) return anyOf.map(kind).join(', ')
  return type ?? ''
}

/**
 * What `godwit reload` does with a setting, in a word.
 * @param {string} name
 * @param {Property} property
 */
function reload(name, { properties: own }) {
  const effects =
    own && !name.includes('.')
      ? new Set(Object.keys(own).map((key) => effectOf(`${name}.${key}`)))
      : new Set([effectOf(name)])
  return effects.size > 1 ? 'see below' : [...effects][0]
}

/**
 * @param {Record<string, Property>} rows
 * @param {string} [inside]
 */
function table(rows, inside) {
  const lines = Object.entries(rows).map(
    ([name, property]) =>
      `| \`${name}\` | ${kind(property)} | ${reload(inside === undefined ? name : `${inside}.${name}`, property)} | ${property.description ?? ''}${
        property.default === undefined ? '' : ` Default \`${property.default}\`.`
      } |`,
  )
  return `| key | takes | changed | |\n|---|---|---|---|\n${lines.join('\n')}\n`
}

/**
 * The tables of an object and of those inside it.
 * @param {string} name
 * @param {Property} property
 * @returns {string[]}
 */
function tables(name, { properties: own, items }) {
  const rows = own ?? items?.properties
  if (!rows) return []
  // What a listener may have of its own, as auth, is described outside.
  const below = Object.entries(rows).flatMap(([key, property]) =>
    name === 'listeners' && key in properties ? [] : tables(`${name}.${key}`, property),
  )
  return [`## ${name}\n\n${table(rows, name)}`, ...below]
}

const sections = Object.entries(properties).filter(([name]) => name !== 'limits')
const whole = `# Configuration

<!-- Made by \`npm run page:configuration\` from the schema; do not edit. -->

\`godwit broker --config FILE\` reads one YAML or JSON file. Flags override environment variables, these override the file,
and that overrides the defaults, setting by setting; a list is one setting. A variable is the path in capitals, with two
underscores between levels: \`GODWIT_LIMITS__MAX_INFLIGHT=100\` is \`limits.maxInflight: 100\`.

**Paths.** A relative path in the file is relative to the folder of the file; one in a flag or in a variable is relative to the
folder in which the broker is started. What is told of a file that cannot be read names its whole path.

\`\`\`yaml
listeners:
  - port: 1883
data: /var/lib/godwit
limits:
  maxQueuedMessages: 100000
  maxQueuedBytes: 256MiB
log:
  level: info
  format: json
\`\`\`

\`godwit config check FILE\` says what is wrong, with line and column, and reads the files that are named, as a broker would at its
start; \`godwit config print FILE\` shows what holds and where each value comes from; \`godwit config import mosquitto.conf\` [translates a
configuration of mosquitto](moving-from-mosquitto.md). A sample that explains each line is in [packaging/godwit.yaml](../packaging/godwit.yaml).

For editors, \`godwit config schema > godwit.schema.json\`, and as the first line of the file
\`# yaml-language-server: $schema=godwit.schema.json\`: it then completes keys and underlines what is wrong.

**Secrets** are \`passphrase\` of \`tls\`, \`secret\` of \`auth.jwt\` and \`headers\` of \`auth.http\`. Each has a twin that names a file
(\`passphraseFile\`, \`secretFile\`, \`headersFile\`), and each may come from the environment: \`GODWIT_AUTH__JWT__SECRET\`,
\`GODWIT_AUTH__HTTP__HEADERS__AUTHORIZATION\`, and for the first listener \`GODWIT_LISTENERS__0__TLS__PASSPHRASE\`. The log and \`config print\` never
show them. Where a file that holds one can be read by every user of the machine, \`config check\` and the log say so.

**When a change holds.** \`godwit reload\` takes the whole configuration up, or nothing of it ([reload](operating.md#reload)). The column
\`changed\` says from when on: \`at once\`; for \`new connections\`, where a client was told when it came; or from the \`next start\` on.

**A listener may have its own** \`auth\`, \`acl\` and \`allowAnonymous\`, which then hold there instead of those outside: people with
passwords at one port, devices with certificates at another.

${table(Object.fromEntries(sections))}
${sections.flatMap(([name, property]) => tables(name, property)).join('\n')}
## limits

Every bound the broker keeps; a key that ends in \`Bytes\` takes a size such as \`512MiB\` too.

| key | changed | |
|---|---|---|
${limits.map(([name, text]) => `| \`${name}\` | ${effectOf(`limits.${name}`)} | ${text} |`).join('\n')}
`

/** As Biome would format it. @param {string} name @param {string} text */
function descriptionLine(name, text) {
  const quoted = text.includes("'") ? JSON.stringify(text) : `'${text}'`
  const line = `  ${name}: ${quoted},`
  return line.length > 120 ? `  ${name}:\n    ${quoted},` : line
}

const source = `// Made by \`npm run page:configuration\` from the doc comments in packages/broker/src/limits.ts; do not edit.

/** What each limit means, for the JSON Schema. */
export const limitDescriptions: Readonly<Record<string, string>> = {
${limits.map(([name, text]) => descriptionLine(name, text)).join('\n')}
}
`

for (const { file, text } of [
  { file: page, text: whole },
  { file: descriptions, text: source },
]) {
  if (!process.argv.includes('--check')) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`${relative(root, file)} is out of date: run \`npm run page:configuration\` and commit it`)
    process.exitCode = 1
  }
}
