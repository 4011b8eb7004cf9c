// Runs every example against a broker of its own and holds README.md and docs/ to them: a TypeScript block there is an
// example to the letter, or the check fails and names it.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import ts from 'typescript'
import { Background } from './background.mjs'
import { root } from './prepare.mjs'

const folder = join(root, 'examples')
const out = join(folder, '.out')
const names = readdirSync(folder).filter((name) => name.endsWith('.ts'))
/** @type {string[]} */
const problems = []

/**
 * What an example's comments say it prints: `console.log(…) // this`.
 * @param {string} source
 */
function promised(source) {
  return [...source.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map(([, line = '']) => line)
}

/**
 * The TypeScript blocks of a page.
 * @param {string} page
 */
function documented(page) {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, block = '']) => block)
}

/**
 * A page of the site https://site.example, as a browser would run it.
 * @param {string} name
 * @param {string} wanted what it shows in the end.
 */
async function openPage(name, wanted) {
  const origin = 'https://site.example'
  const door = await broker.listen({ port: 0, websocket: { origins: [origin] } })
  const script = join(root, 'scripts/web-page.mjs')
  const page = [join(folder, name), String(door.port), origin, wanted]
  const child = await Background.start([process.execPath, script, ...page])
  const ending = await child.ended
  if (ending !== 0) problems.push(`examples/${name} ended with ${ending}:\n${child.output}`)
  else console.log(`examples/${name}: ${child.output.trim()}`)
}

const broker = await createBroker()
const { port } = await broker.listen({ port: 0 })
mkdirSync(out, { recursive: true })
try {
  for (const name of names) {
    const source = readFileSync(join(folder, name), 'utf8')
    const lines = source.trimEnd().split('\n').length
    if (lines >= 40) problems.push(`examples/${name} has ${lines} lines; an example has fewer than 40`)
    const { outputText } = ts.transpileModule(source.replaceAll("'mqtt://localhost'", `'mqtt://localhost:${port}'`), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    })
    const file = join(out, name.replace(/\.ts$/, '.mjs'))
    writeFileSync(file, outputText)
    const child = await Background.start([process.execPath, file])
    const limit = setTimeout(() => child.stop(), 20_000)
    const ending = await child.ended
    clearTimeout(limit)
    for (const line of promised(source)) {
      if (!child.output.includes(line)) problems.push(`examples/${name} does not print "${line}":\n${child.output}`)
    }
    if (ending !== 0) problems.push(`examples/${name} ended with ${ending}:\n${child.output}`)
    else console.log(`examples/${name}: ${child.output.trim().split('\n').join(' | ')}`)
  }
  await openPage('web-page.html', 'page/greeting: hello from the page')
} finally {
  rmSync(out, { recursive: true, force: true })
  await broker.close()
}

const sources = names.map((name) => readFileSync(join(folder, name), 'utf8'))
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]
for (const page of pages) {
  for (const block of documented(page)) {
    if (!sources.some((source) => source.includes(block)))
      problems.push(`${page}: this block is in no example:\n${block}`)
  }
}
for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)
