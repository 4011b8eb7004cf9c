import { isTopicFilter } from '@godwit/protocol'
import { BrokerError } from '../errors.js'
import { type AccessAction, type AccessRule, isFilterWithVariables } from './access-rule.js'

const accesses: Readonly<
  Record<string, { readonly allow: readonly AccessAction[] } | { readonly deny: readonly AccessAction[] }>
> = {
  read: { allow: ['subscribe', 'receive'] },
  write: { allow: ['publish'] },
  readwrite: { allow: ['publish', 'subscribe', 'receive'] },
  subscribe: { allow: ['subscribe'] },
  deny: { deny: ['publish', 'subscribe', 'receive'] },
}

/**
 * Reads mosquitto's `acl_file`. As there: `topic` lines before the first `user` are for clients without a user name,
 * those after it for that user, `pattern` lines for everybody (`%c`, `%u`); a `deny` goes before what allows, and a
 * user's lines go before the patterns. A line about `$share/…` means nothing, as there. Unlike there, a SUBSCRIBE whose
 * filter is not allowed as a whole is refused.
 * @param file its name, for messages and for `explain`.
 * @param warn is told of lines that mosquitto takes and that mean something else than they seem to. Default: nobody.
 * @throws BrokerError `invalid-option`, naming file and line.
 */
export function mosquittoAcl(
  text: string,
  file: string,
  warn: (warning: string) => void = () => {},
): readonly AccessRule[] {
  let user: string | undefined
  const ofUsers: AccessRule[] = []
  const patterns: AccessRule[] = []
  for (const { keyword, rest, where } of linesOf(text, file)) {
    if (keyword === 'user') {
      user = rest
      continue
    }
    const rule = ruleOf(rest, where)
    const warning = rule ? keyword === 'pattern' && !/%[cu]/.test(rule.filter) && forEverybody : shared
    if (warning) warn(`${where}: ${warning}`)
    if (!rule) continue
    if (keyword === 'pattern') patterns.push(withVariables(rule))
    else ofUsers.push({ ...rule, ...(user === undefined ? { anonymous: true } : { user }) })
  }
  return [...denyFirst(ofUsers), ...denyFirst(patterns)]
}

const forEverybody = 'the pattern has no %c and no %u: it is for everybody'

interface AclLine {
  readonly keyword: string
  readonly rest: string
  readonly where: string
}

function linesOf(text: string, file: string): readonly AclLine[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, at) => {
      const trimmed = line.trim()
      if (trimmed === '' || trimmed.startsWith('#')) return []
      const [, keyword = trimmed, rest = ''] = /^(\S+)\s+(.*)$/s.exec(trimmed) ?? []
      const where = `${file}:${at + 1}`
      if (/^(topic|pattern)$/.test(keyword) || (keyword === 'user' && rest !== '')) return [{ keyword, rest, where }]
      throw new BrokerError(
        'invalid-option',
        `${where}: '${keyword}' begins no line of an acl_file; it takes user, topic and pattern`,
      )
    })
}

const shared =
  'a line about $share/… means nothing, as in mosquitto: messages of a shared subscription are looked at by their topic; name its filter alone'

/** `undefined`: the line means nothing. */
function ruleOf(text: string, where: string): AccessRule | undefined {
  const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/s.exec(text) ?? []
  const isAccess = Object.hasOwn(accesses, word)
  // As in mosquitto: a `deny` with a slip of the pen in it shall not become a rule that allows something else.
  if (!isAccess && rest !== '') {
    throw new BrokerError(
      'invalid-option',
      `${where}: '${word}' is no access; it takes ${Object.keys(accesses).join(', ')}, which a filter with a blank needs in front`,
    )
  }
  const filter = isAccess ? rest : text
  if (/^\$share(\/|$)/.test(filter) && isTopicFilter(filter.slice(1))) return undefined
  if (filter.includes('${') || !isFilterWithVariables(filter)) {
    throw new BrokerError(
      'invalid-option',
      `${where}: '${filter}' is no topic filter; the form is topic [read|write|readwrite|subscribe|deny] FILTER`,
    )
  }
  return { ...accesses[isAccess ? word : 'readwrite']!, filter, where }
}

/** `%c` and `%u` under our names. */
function withVariables(rule: AccessRule): AccessRule {
  return { ...rule, filter: rule.filter.replaceAll('%c', `\${clientId}`).replaceAll('%u', `\${username}`) }
}

/** mosquitto puts what denies in front of each list. */
function denyFirst(rules: readonly AccessRule[]): readonly AccessRule[] {
  return [...rules.filter(({ deny }) => deny), ...rules.filter(({ allow }) => allow)]
}
