import type { YAMLError } from 'yaml'

/** What the parser means, for people who do not know its words: what is wrong there, and what to do. */
const plain: Readonly<Record<string, string>> = {
  BAD_ALIAS:
    'a name behind * stands for what &name marks above it, and nothing does; put the text in quotes if it is one',
  BAD_DIRECTIVE: 'a line that begins with % is none of a configuration; put # before it if it is a remark',
  BAD_DQ_ESCAPE: 'a backslash in "…" begins an escape such as \\n; write \\\\, or use \'…\'',
  BAD_INDENT: 'it stands too far to the left or right; lines that belong together begin in one column',
  BAD_SCALAR_START: 'a text cannot begin with that character; put the text in quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a second "key: value" stands in this line; give it a line of its own, or put a text with ": " in it in quotes',
  BLOCK_IN_FLOW: 'inside […] or {…} a value ends at a comma; close the bracket first, or separate with commas',
  DUPLICATE_KEY: 'this key stands here twice; leave one',
  MISSING_CHAR: 'something is not closed, or lacks its ":", "-" or quote; look at what stands before it',
  MULTILINE_IMPLICIT_KEY: 'a key ends in the line it begins in; is a ":" or a quote missing?',
  MULTIPLE_DOCS: 'a second document (---) begins; leave one',
  TAB_AS_INDENT: 'a tab; indent with spaces',
  UNEXPECTED_TOKEN: 'nothing was expected here; is a quote, a comma or a bracket missing before it?',
}

/** One mistake in YAML, without its place. */
export function yamlProblem({ code, message }: YAMLError): string {
  if (message.startsWith('Source contains multiple')) return plain.MULTIPLE_DOCS!
  if (/tab/i.test(message)) return plain.TAB_AS_INDENT!
  const missing = /Missing closing (["'])quote/.exec(message)?.[1]
  if (missing !== undefined) return `a text that begins with ${missing} does not end; close it with ${missing}`
  const bracket = /end with an? ([\]}])/.exec(message)?.[1]
  if (bracket !== undefined) return `${bracket === '}' ? '{' : '['} is not closed; end it with ${bracket}`
  if (message.startsWith('Unresolved alias')) return plain.BAD_ALIAS!
  return plain[code] ?? `${message}; see docs/configuration.md for the form`
}
