import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { leastRole, type OperationId } from '../src/roles.js'
import { document } from './described.js'

test('the table of operations and roles in docs/http-api.md is this one', () => {
  const page = readFileSync(new URL('../../../docs/http-api.md', import.meta.url), 'utf8')
  const rows = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, summary }]) => {
      const name = `${method.toUpperCase()} ${path.replace('/api/v1', '')}`
      return `| \`${name}\` | ${leastRole[operationId as OperationId]} | ${summary} |`
    }),
  )
  expect(
    page
      .split('\n')
      .filter((line) => /^\| `(GET|POST|PUT|DELETE) /.test(line))
      .sort(),
  ).toEqual(rows.sort())
})
