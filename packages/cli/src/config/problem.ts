import { nearest } from '@godwit/protocol'
import type { z } from 'zod'
import type { Path } from './layers.js'
import { keysAt, pathInWords } from './schema-path.js'
import { isSecret } from './secrets.js'

/** What is wrong, where, and what may stand there. */
export function problemsOf(issue: z.core.$ZodIssue, origin: (path: Path) => string): readonly string[] {
  const path = issue.path as Path
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((wrong) => {
      const key = [...path, wrong]
      return `${origin(key)}: there is no key '${pathInWords(key)}'; ${keyHint(wrong, path)}`
    })
  }
  const problem = `${origin(path)}: ${path.length === 0 ? '' : `${pathInWords(path)}: `}${reasonOf(issue, path)}`
  return [problem]
}

/** Where a key is looked for that stands elsewhere. */
const groups: readonly Path[] = [
  ['limits'],
  ['features'],
  ['auth'],
  ['listeners', 0],
  ['listeners', 0, 'tls'],
  ['auth', 'jwt'],
  ['auth', 'http'],
  [],
]

function keyHint(wrong: string, path: Path): string {
  const keys = keysAt(path)
  const meant = nearest(wrong, keys)
  if (meant !== undefined) return `did you mean '${meant}'?`
  const elsewhere = groups.find((group) => keysAt(group).includes(wrong))
  if (elsewhere?.length === 0) return 'it stands outside, at the beginning of a line'
  if (elsewhere) return `it belongs under '${elsewhere.filter((step) => step !== 0).join('.')}'`
  return keys.length > 0 ? `it takes ${keys.join(', ')}` : 'nothing stands there'
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys with values',
  record: 'keys with values',
}

function reasonOf(issue: z.core.$ZodIssue, path: Path): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'it is needed here'
      return `it takes ${kinds[issue.expected] ?? issue.expected}${insteadOf(issue.input, path)}`
    case 'invalid_value': {
      const words = issue.values.map(String)
      const meant = typeof issue.input === 'string' ? nearest(issue.input, words) : undefined
      return `it takes ${words.join(', ')}${insteadOf(issue.input, path)}${meant === undefined ? '' : `; did you mean '${meant}'?`}`
    }
    case 'too_small':
      if (issue.origin === 'string') return 'it is empty'
      if (issue.origin === 'array') return 'the list is empty; it takes one item or more'
      return `it takes ${issue.minimum} or more${insteadOf(issue.input, path)}`
    case 'too_big':
      return `it takes ${issue.maximum} or less${insteadOf(issue.input, path)}`
    default:
      return issue.message
  }
}

/** What stands there, unless it is secret or long. */
function insteadOf(input: unknown, path: Path): string {
  if (isSecret(path)) return ''
  if (typeof input === 'string') return input.length > 60 ? '' : `, not '${input}'`
  if (typeof input === 'number' || typeof input === 'boolean') return `, not ${input}`
  return ''
}
