// Builds the site into docs/.vitepress/dist: the API reference from the doc comments (docs/api), then the pages. A link to
// a page that is not there fails it.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, Converter } from 'typedoc'
import { build } from 'vitepress'

const here = dirname(fileURLToPath(import.meta.url))
const docs = dirname(here)
const packages = join(docs, '../packages')

/** @type {Readonly<Record<string, readonly string[]>>} */
const doors = {
  client: ['index', 'file-store'],
  broker: ['index', 'access/index', 'store/lmdb/index', 'testing/index'],
  protocol: ['index'],
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
    entryPoints: Object.entries(doors).flatMap(([name, files]) =>
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
