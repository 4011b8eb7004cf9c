// Runs every example against a broker of its own and holds README.md and docs/ to them: a TypeScript block there is an
// example to the letter, or the check fails and names it.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { createBroker } from '@godwit/broker'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const folder = join(root, 'examples')
const out = join(folder, '.out')
const names = readdirSync(folder).filter((name) => name.endsWith('.ts'))
const problems = []

/** What an example's comments say it prints: `console.log(…) // this`. */
function promised(source) {
  return [...source.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map((match) => match[1])
}

function documented(file) {
  const text = readFileSync(join(root, file), 'utf8')
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => match[1])
}

const broker = await createBroker()
const { port } = await broker.listen({ port: 0 })
mkdirSync(out, { recursive: true })
try {
  for (const name of names) {
    const source = readFileSync(join(folder, name), 'utf8')
    const lines = source.trimEnd().split('\n').length
    if (lines > 40) problems.push(`examples/${name} has ${lines} lines; an example has at most 40`)
    const { outputText } = ts.transpileModule(source.replaceAll("'mqtt://localhost'", `'mqtt://localhost:${port}'`), {
      compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
    })
    const file = join(out, name.replace(/\.ts$/, '.mjs'))
    writeFileSync(file, outputText)
    const child = await run(file)
    for (const line of promised(source)) {
      if (!child.output.includes(line)) problems.push(`examples/${name} does not print "${line}":\n${child.output}`)
    }
    if (child.code !== 0) problems.push(`examples/${name} ended with ${child.code}:\n${child.output}`)
    else console.log(`examples/${name}: ${child.output.trim().split('\n').join(' | ')}`)
  }
} finally {
  rmSync(out, { recursive: true, force: true })
  await broker.close()
}

const sources = names.map((name) => readFileSync(join(folder, name), 'utf8'))
const pages = ['README.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]
for (const page of pages) {
  for (const block of documented(page)) {
    if (!sources.some((source) => source.includes(block))) problems.push(`${page}: this block is in no example:\n${block}`)
  }
}
for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)

/** Runs a script in a process of its own; this one serves its broker meanwhile. */
async function run(file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }))
  })
}
