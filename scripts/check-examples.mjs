// Runs every example beside a broker; each must print what its comments say.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import { Background } from './background.mjs'
import { root } from './prepare.mjs'
import { runProgram } from './run-program.mjs'

const folder = join(root, 'examples')
const out = join(folder, '.out')
const names = readdirSync(folder).filter((name) => name.endsWith('.ts'))
/** @type {string[]} */
const problems = []

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
    const done = await runProgram({
      name: `examples/${name}`,
      source,
      file: join(out, name.replace(/\.ts$/, '.mjs')),
      port,
    })
    problems.push(...done.problems)
    if (done.problems.length === 0) console.log(`examples/${name}: ${done.output.trim().split('\n').join(' | ')}`)
  }
  await openPage('web-page.html', 'page/greeting: hello from the page')
} finally {
  rmSync(out, { recursive: true, force: true })
  await broker.close()
}

for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)
