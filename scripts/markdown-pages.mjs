// The pages people read, and the blocks of code in them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolders, root } from './prepare.mjs'

/** @typedef {{ page: string, line: number, language: string, words: readonly string[], text: string }} Block */

/** README.md, CONTRIBUTING.md, docs/ and the packages' pages: paths from the root. */
export const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...['docs', ...packageFolders()].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md')
      .map((name) => `${folder}/${name}`),
  ),
]

/**
 * The blocks of a page, in their order. `words` are those behind the language.
 * @param {string} page
 * @returns {Block[]}
 */
export function blocksOf(page) {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(/^( *)```(\w+)([^\n]*)\n([\s\S]*?)^ *```$/gm)].map(
    ({ index, 1: indent, 2: language = '', 3: words = '', 4: block = '' }) => ({
      page,
      line: text.slice(0, index).split('\n').length,
      language,
      words: words.split(' ').filter((word) => word !== ''),
      text: block.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  )
}

/**
 * The anchor of a heading, as GitHub makes it; the site is told to do the same.
 * @param {string} heading
 */
export function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

/**
 * What a program's comments say it prints: `console.log(…) // this`.
 * @param {string} source
 */
export function promised(source) {
  return [...source.matchAll(/console\.log\(.*\) \/\/ (.+)$/gm)].map(([, line = '']) => line)
}
