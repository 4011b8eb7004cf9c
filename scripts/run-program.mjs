// Runs a TypeScript program as a reader would, with JavaScript made of it, and says what is wrong with how it went.
import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import ts from 'typescript'
import { Background } from './background.mjs'
import { promised } from './markdown-pages.mjs'

const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext }

/** Whoever takes longer hangs, also on a machine that does other work. */
const mostMs = 120_000

/**
 * @typedef {object} Run
 * @property {string} name What messages call it.
 * @property {string} source TypeScript.
 * @property {string} file Where its JavaScript is written.
 * @property {number} port Of the broker that stands for mqtt://localhost.
 * @property {boolean} [stays] It runs until it is stopped, which it is when it has said what it promises.
 */

/**
 * @param {Run} run
 * @returns {Promise<{ output: string, problems: string[] }>}
 */
export async function runProgram({ name, source, file, port, stays = false }) {
  const there = source.replaceAll(/'mqtt:\/\/localhost'/g, `'mqtt://localhost:${port}'`)
  writeFileSync(file, ts.transpileModule(there, { compilerOptions }).outputText)
  const child = await Background.start([process.execPath, file], { cwd: dirname(file) })
  const lines = promised(source)
  const limit = setTimeout(() => child.stop(), mostMs)
  if (stays) await until(() => lines.every((line) => child.output.includes(line)) && child.output !== '', child.ended)
  const ending = await (stays ? child.stop() : child.ended)
  clearTimeout(limit)
  const problems = lines
    .filter((line) => !child.output.includes(line))
    .map((line) => `${name} does not print "${line}":\n${child.output}`)
  const endings = stays ? [0, 'SIGTERM'] : [0]
  if (!endings.includes(ending)) problems.push(`${name} ended with ${ending}:\n${child.output}`)
  return { output: child.output, problems }
}

/**
 * @param {() => boolean} condition
 * @param {Promise<unknown>} ended
 */
async function until(condition, ended) {
  let isOver = false
  void ended.then(() => {
    isOver = true
  })
  while (!isOver && !condition()) await new Promise((resolve) => setTimeout(resolve, 50))
}
