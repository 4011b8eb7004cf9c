// Every TypeScript block of README.md, CONTRIBUTING.md, docs/ and the packages' pages is a whole program, compiled strictly
// on its own as a reader who has copied it would, and run beside a broker; or its first line says which file it is a part of,
// and there it stands to the letter. Words behind `ts` say what cannot be known from the text:
//   stays      it runs until it is stopped
//   compiled   it is not run: it needs a server, a file or a name that is not here
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import ts from 'typescript'
import { blocksOf, pages } from './markdown-pages.mjs'
import { report, root } from './prepare.mjs'
import { runProgram } from './run-program.mjs'

/** @typedef {import('./markdown-pages.mjs').Block} Block */

const partOf = /^\/\/ Part of ([\w./-]+\.ts)\n/
/** Made of examples/, which check-examples.mjs runs and the type check compiles. */
const madeOfExamples = 'docs/examples.md'
const known = new Set(['stays', 'compiled'])

/** What README.md tells a reader to compile with. */
const options = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
}

/** @param {Block} block */
const place = ({ page, line }) => `${page}:${line}`

/**
 * What is wrong with a block that is a part.
 * @param {Block} block
 * @param {string} example
 */
function partProblems(block, example) {
  const text = block.text.replace(partOf, '').trimEnd()
  const source = readFileSync(join(root, example), 'utf8')
  const isThere = withoutIndent(source).includes(withoutIndent(text))
  return isThere ? [] : [`${place(block)}: this is not in ${example} to the letter:\n${text}`]
}

/** @param {string} output */
const shortened = (output) => output.trim().split('\n').join(' | ').slice(0, 100)

/** @param {string} text */
const withoutIndent = (text) => text.replaceAll(/^ +/gm, '')

/**
 * Compiles programs together, each a module of its own.
 * @param {readonly { block: Block, file: string }[]} programs
 */
function compilerProblems(programs) {
  const program = ts.createProgram(
    programs.map(({ file }) => file),
    options,
  )
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const block = programs.find((one) => one.file === file?.fileName)?.block
    const text = ts.flattenDiagnosticMessageText(messageText, '\n')
    if (!block || !file) return text
    const { line } = file.getLineAndCharacterOfPosition(start)
    return `${block.page}:${block.line + 1 + line}: ${text}`
  })
}

await report(async () => {
  const words = process.argv.slice(2)
  const folder = mkdtempSync(join(root, '.docs-blocks-'))
  const broker = await createBroker()
  try {
    const { port } = await broker.listen({ port: 0 })
    const blocks = pages
      .filter((page) => page !== madeOfExamples)
      .filter((page) => words.length === 0 || words.some((word) => page.includes(word)))
      .flatMap(blocksOf)
      .filter(({ language }) => language === 'ts')
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const problems = blocks.flatMap((block) => {
      const strange = block.words.filter((word) => !known.has(word))
      return strange.map((word) => `${place(block)}: nobody knows what "${word}" says about a block`)
    })
    const whole = blocks
      .filter(({ text }) => !partOf.test(text))
      .map((block, at) => ({ block, file: join(folder, `block-${at}.ts`) }))
    for (const { block, file } of whole) writeFileSync(file, `${block.text}export {}\n`)
    problems.push(...compilerProblems(whole))
    for (const block of blocks) {
      const [, example] = partOf.exec(block.text) ?? []
      if (example) problems.push(...partProblems(block, example))
    }
    const run = whole.filter(({ block }) => !block.words.includes('compiled'))
    for (const { block, file } of problems.length > 0 ? [] : run) {
      const stays = block.words.includes('stays')
      const script = file.replace(/ts$/, 'js')
      const done = await runProgram({ name: place(block), source: block.text, file: script, port, stays })
      problems.push(...done.problems)
      console.log(`ok ${place(block)}: ${shortened(done.output)}`)
    }
    for (const problem of problems) console.error(problem)
    const parts = blocks.length - whole.length
    console.log(
      `${blocks.length} blocks of TypeScript: ${run.length} run, ${whole.length - run.length} compiled, ${parts} parts`,
    )
    if (problems.length > 0) process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true })
    await broker.close()
  }
})
