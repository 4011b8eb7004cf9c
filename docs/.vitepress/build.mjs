// Builds the site into docs/.vitepress/dist: the API reference from the doc comments (docs/api), then the pages. A link to
// a page that is not there fails it.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, Converter } from 'typedoc'
import { build } from 'vitepress'
import { anchorOf } from '../../scripts/markdown-pages.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const docs = dirname(here)
const packages = join(docs, '../packages')

/** @type {Readonly<Record<string, readonly string[]>>} */
const exported = {
  client: ['index', 'file-store', 'indexeddb-store'],
  broker: ['index', 'access/index', 'plugin/index', 'store/lmdb/index', 'testing/index'],
  admin: ['index', 'parts/index'],
  cluster: ['index'],
  protocol: ['index', 'testing/index'],
  conformance: ['index'],
}

/**
 * What a program imports: typedoc calls it by its file.
 * @param {string} path such as `broker/src/access`.
 */
const importName = (path) => `@godwit/${path.replace(/\/src\b/, '')}`

/** Typedoc empties the folder it writes to, and by default that is docs: it is given one of its own. */
const out = mkdtempSync(join(tmpdir(), 'godwit-api-'))
try {
  await writeReference(out)
  repairAnchors(out)
  rmSync(join(docs, 'api'), { recursive: true, force: true })
  cpSync(out, join(docs, 'api'), { recursive: true })
} finally {
  rmSync(out, { recursive: true })
}
await build(docs)

/** @param {string} folder */
async function writeReference(folder) {
  const app = await Application.bootstrapWithPlugins({
    name: 'API reference',
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: Object.entries(exported).flatMap(([name, files]) =>
      files.map((file) => join(packages, name, 'src', `${file}.ts`)),
    ),
    basePath: packages,
    tsconfig: join(here, 'tsconfig.json'),
    readme: 'none',
    out: folder,
    outputs: [{ name: 'markdown', path: folder }],
    disableSources: true,
    excludePrivate: true,
    skipErrorChecking: true, // the type check is another step
    logLevel: 'Error',
    ...{ router: 'module', entryFileName: 'index.md', hideBreadcrumbs: true, hidePageHeader: true },
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const door of project.children ?? []) door.name = importName(door.name)
  })
  const project = await app.convert()
  if (!project) throw new Error('typedoc cannot read the sources')
  await app.generateOutputs(project)
  if (app.logger.hasErrors()) throw new Error('typedoc met errors')
}

/**
 * Typedoc counts some headings twice: a link within a page to a second one that is not there goes to the only one.
 * @param {string} folder
 */
function repairAnchors(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  for (const file of names.map((name) => join(folder, name))) {
    const text = readFileSync(file, 'utf8')
    const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))
    const isOnly = (/** @type {string} */ anchor) => headings.filter((one) => one === anchor).length === 1
    const repaired = text.replaceAll(/\]\(#([\w-]+)-1\)/g, (link, anchor) => (isOnly(anchor) ? `](#${anchor})` : link))
    writeFileSync(file, repaired)
  }
}
