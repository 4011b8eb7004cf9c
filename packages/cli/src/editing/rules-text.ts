import { extname } from 'node:path'
import { NotEditable } from '@godwit/admin/parts'
import { type AccessRule, mosquittoAcl, parseAccessRules } from '@godwit/broker/access'
import { isNode, isSeq, LineCounter, type Node, parseDocument, type YAMLSeq } from 'yaml'
import { isObject } from '../config/layers.js'
import { withAclLines } from './acl-file-text.js'
import type { Splice } from './rules-splice.js'

/** Whether rules stand there in the order in which they are asked; else it is mosquitto's acl_file, where that follows from what they say. */
export const isOurForm = (file: string): boolean => ['.yaml', '.yml', '.json'].includes(extname(file))

/**
 * The rules in a text, each with the place where it stands.
 * @param file its name, which says what form it has.
 * @throws BrokerError for what is wrong with them.
 */
export function rulesInText(text: string, file: string): readonly AccessRule[] {
  if (!isOurForm(file)) return mosquittoAcl(text, file)
  const lines = new LineCounter()
  const document = documentOf(text, file, lines)
  const items = listIn(document)?.items ?? []
  return parseAccessRules(rulesOf(document), (index) => {
    const item = items[index]
    const { line, col } = lines.linePos((isNode(item) && item.range?.[0]) || 0)
    return `${file}:${line}:${col}`
  })
}

/**
 * The text with other rules in it; all that stands around them stays, a remark above a rule that goes too.
 * @throws NotEditable where the form of the file does not allow it.
 */
export function withRules(text: string, file: string, splice: Splice): string {
  if (!isOurForm(file)) return withAclLines(text, file, rulesInText(text, file), splice)
  const document = documentOf(text, file)
  const known = listIn(document)
  const list = known ?? (document.createNode([]) as YAMLSeq)
  if (!known) document.setIn(pathIn(document), list)
  const items = list.items as Node[]
  const { at = items.length, removed, added } = splice
  const ended = items.splice(at, removed, ...added.map((rule) => document.createNode(rule, { flow: true }) as Node))
  keepRemarks(list, ended, items[at])
  if (extname(file) === '.json') return `${JSON.stringify(document.toJS(), undefined, 2)}\n`
  return document.toString({ lineWidth: 0, indentSeq: !/^(\s*)(?:rules):.*\n(?:\s*(?:#.*)?\n)*\1- /m.test(text) })
}

/** A remark above rules may speak of more than the first of them. */
function keepRemarks(list: YAMLSeq, ended: readonly Node[], next: Node | undefined): void {
  const remarks = ended.flatMap(({ commentBefore }) => commentBefore ?? []).join('\n')
  if (remarks === '') return
  if (next) next.commentBefore = [remarks, ...(next.commentBefore ? [next.commentBefore] : [])].join('\n')
  else list.comment = [...(list.comment ? [list.comment] : []), remarks].join('\n')
}

type Parsed = ReturnType<typeof parseDocument>

function documentOf(text: string, file: string, lineCounter?: LineCounter): Parsed {
  const document = parseDocument(text, { prettyErrors: false, ...(lineCounter && { lineCounter }) })
  const [error] = document.errors
  if (error) throw new NotEditable(`${file} cannot be read: ${error.message}; put it right with an editor first`)
  return document
}

/** Under `rules`, or under `acl` and `rules` as in the broker's configuration. */
function pathIn(document: Parsed): readonly string[] {
  return document.has('acl') ? ['acl', 'rules'] : ['rules']
}

function listIn(document: Parsed): YAMLSeq | undefined {
  const list = document.getIn(pathIn(document), true)
  return isSeq(list) ? list : undefined
}

function rulesOf(document: Parsed): unknown {
  const values: unknown = document.toJS() ?? {}
  if (!isObject(values)) return values
  const { acl } = values
  return (isObject(acl) ? acl.rules : values.rules) ?? []
}
