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
 * user's lines go before the patterns. Unlike there, a SUBSCRIBE whose filter is not allowed as a whole is refused.
 * @param file its name, for messages and for `explain`.
 * @throws BrokerError `invalid-option`, naming file and line.
 */
export function mosquittoAcl(text: string, file: string): readonly AccessRule[] {
  let user: string | undefined
  const ofUsers: AccessRule[] = []
  const patterns: AccessRule[] = []
  for (const [at, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const where = `${file}:${at + 1}`
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const [, keyword = trimmed, rest = ''] = /^(\S+)\s+(.*)$/s.exec(trimmed) ?? []
    if (keyword === 'user' && rest !== '') user = rest
    else if (keyword === 'topic')
      ofUsers.push({ ...ruleOf(rest, where), ...(user === undefined ? { anonymous: true } : { user }) })
    else if (keyword === 'pattern') patterns.push(withVariables(ruleOf(rest, where)))
    else
      throw new BrokerError(
        'invalid-option',
        `${where}: '${keyword}' begins no line of an acl_file; it takes user, topic and pattern`,
      )
  }
  return [...denyFirst(ofUsers), ...denyFirst(patterns)]
}

function ruleOf(text: string, where: string): AccessRule {
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
