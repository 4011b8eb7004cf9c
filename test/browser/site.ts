// A site on this machine with the client's built files, for any browser, and Debian's Chromium to look at it with.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type * as client from '@godwit/client/browser'
import type { checks } from '@godwit/client/browser-checks'
import type { requestsOf } from '@godwit/client/browser-requests'
import type { scramSha256 } from '@godwit/client/browser-scram'
import type { indexedDbStore } from '@godwit/client/indexeddb-store'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import { browserMissing, openProfile } from '../../scripts/browser.mjs'

/** What every page of the site has as `godwit`. */
export interface Godwit {
  readonly connect: typeof client.connect
  readonly memoryStore: typeof client.memoryStore
  readonly InvalidArgumentError: typeof client.InvalidArgumentError
  readonly InterruptedError: typeof client.InterruptedError
  readonly indexedDbStore: typeof indexedDbStore
  readonly scramSha256: typeof scramSha256
  readonly checks: typeof checks
  readonly requestsOf: typeof requestsOf
  /** Tells the test something. */
  readonly tell: (what: unknown) => void
}

declare global {
  var godwit: Godwit
}

const dist = fileURLToPath(new URL('../../packages/client/dist/', import.meta.url))
const blank = `<!doctype html><title>a page</title><script type="module">
  const beside = ['indexeddb-store', 'scram', 'checks', 'requests'].map((name) => \`/browser-\${name}.js\`)
  const modules = await Promise.all(['/browser.js', ...beside].map((file) => import(file)))
  globalThis.godwit = Object.assign({ tell: (what) => globalThis.tellTest(what) }, ...modules)
</script>`

/** Why nothing can be played here; undefined: it can. CI asks for it all the same. */
export const missing: string | undefined = process.env.GODWIT_TEST_REQUIRE_PEERS === '1' ? undefined : browserMissing()

/** Serves pages that have the client as `godwit`. */
export class Pages {
  readonly url: string
  readonly #server: Server

  private constructor(url: string, server: Server) {
    this.url = url
    this.#server = server
  }

  static async serve(): Promise<Pages> {
    if (!existsSync(join(dist, 'browser.js'))) throw new Error('build before testing (npm run build)')
    const contract = await contractScript()
    const server = createServer(({ url = '/' }, response) => {
      const isScript = url.endsWith('.js')
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html')
      response.end(url === '/contract.js' ? contract : isScript ? readFileSync(join(dist, url)) : blank)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    return new Pages(`http://localhost:${port}`, server)
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** The pages and Chromium, with a profile of its own on the disk. */
export class Site {
  readonly #pages: Pages
  readonly #folder: string
  readonly #context: BrowserContext

  private constructor(pages: Pages, folder: string, context: BrowserContext) {
    this.#pages = pages
    this.#folder = folder
    this.#context = context
  }

  static async open(): Promise<Site> {
    const pages = await Pages.serve()
    const folder = mkdtempSync(join(tmpdir(), 'godwit-chromium-'))
    return new Site(pages, folder, await openProfile(folder))
  }

  get url(): string {
    return this.#pages.url
  }

  get context(): BrowserContext {
    return this.#context
  }

  /** A new tab that has the client. What its script tells goes to `heard`. */
  async tab(heard: (what: unknown) => void = () => {}): Promise<Page> {
    const page = await this.#context.newPage()
    await page.exposeFunction('tellTest', heard)
    await page.goto(this.url)
    await page.waitForFunction('globalThis.godwit !== undefined')
    return page
  }

  async close(): Promise<void> {
    await this.#context.close()
    this.#pages.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The contract of stores as a script for a page, with what it uses of Vitest in `contract-runner.ts`. */
async function contractScript(): Promise<string> {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { storeContract } from ${JSON.stringify(here('../../packages/client/test/store.contract.ts'))}
        export { play } from ${JSON.stringify(here('contract-runner.ts'))}
        export const begin = (open) => storeContract('indexedDbStore', open)`,
      resolveDir: here('.'),
    },
    alias: { vitest: here('contract-runner.ts') },
    bundle: true,
    format: 'esm',
    write: false,
  })
  return outputFiles[0]!.text
}
