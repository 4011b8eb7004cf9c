// Writes docs/examples.md from examples/: each program whole, under what its first line says. With `--check` it only
// compares, and fails when the page is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './prepare.mjs'

const page = join(root, 'docs/examples.md')

const chapters = readdirSync(join(root, 'examples'))
  .filter((name) => /\.(ts|html)$/.test(name))
  .map((name) => {
    const source = readFileSync(join(root, 'examples', name), 'utf8')
    const [, ofProgram, ofPage = ''] = /^(?:\/\/ (.+)|<!-- ([\s\S]+?) -->)$/m.exec(source) ?? []
    const first = (ofProgram ?? ofPage).replaceAll(/\s+/g, ' ')
    const title = name.replace(/\.\w+$/, '').replaceAll('-', ' ')
    const [language, words, body] = name.endsWith('.ts')
      ? ['ts', '', source.replace(/^\/\/ .*\n/, '')]
      : ['html', '', source]
    return `## ${title[0]?.toUpperCase()}${title.slice(1)}\n\n${first} [examples/${name}](../examples/${name})\n\n\`\`\`${language}${words}\n${body.trimEnd()}\n\`\`\`\n`
  })

const whole = `# Examples

<!-- Made by \`npm run page:examples\` from examples/; do not edit. -->

Each is a whole program with fewer than 40 lines, and CI runs each. To run one of yours, see
[Start](start.md#from-a-program). Where a program says \`mqtt://localhost\`, start a broker first: \`npx godwit broker\`.

${chapters.join('\n')}`

if (!process.argv.includes('--check')) writeFileSync(page, whole)
else if (readFileSync(page, 'utf8') !== whole) {
  console.error('docs/examples.md is out of date: run `npm run page:examples` and commit it')
  process.exitCode = 1
}
