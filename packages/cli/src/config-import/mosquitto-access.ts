import { existsSync, readFileSync } from 'node:fs'
import { BrokerError } from '@godwit/broker'
import { mosquittoAcl } from '@godwit/broker/access'
import type { Path } from '../config/layers.js'
import type { Draft } from './draft.js'
import { type DynamicSecurity, readDynamicSecurity } from './dynamic-security.js'
import { guards, isDynamicSecurityPlugin } from './mosquitto-groups.js'
import type { MosquittoLine } from './mosquitto-lines.js'
import { isSecure, type MosquittoListener, type Said } from './mosquitto-listener.js'
import type { Group, Reading } from './mosquitto-reading.js'
import { isTrue } from './mosquitto-writes.js'
import { passwordFileProblems } from './password-kinds.js'

/** Writes who may come in and who may do what: once for all, or for each listener. */
export function writeAccess(
  draft: Draft,
  reading: Reading,
  listeners: readonly MosquittoListener[],
  isLocal: boolean,
  passwords: string,
): void {
  const { global, groups, perListener } = reading
  const pathOf = ({ listener }: Group): Path | undefined => {
    if (listener === undefined) return []
    const index = listeners.findIndex(({ said }) => said === listener.said)
    return index < 0 ? undefined : ['listeners', index]
  }
  if (!perListener) writeGuards(draft, [], global)
  for (const [index, listener] of listeners.entries()) {
    const path: Path = ['listeners', index]
    if (perListener) writeGuards(draft, path, listener.said)
    writeOwn(draft, path, listener, perListener ? listener.said : global, isLocal)
  }
  for (const group of groups.filter(guards)) {
    const path = pathOf(group)
    if (path) writePlugin(draft, path, group, passwords)
  }
  tellWhoIsShutOut(draft, reading, listeners, isLocal)
}

/** @param path of what holds them: a listener, or nothing for all. */
function writeGuards(draft: Draft, path: Path, said: Said): void {
  const password = said.get('password_file')
  const acl = said.get('acl_file')
  const anonymous = said.get('allow_anonymous')
  if (password) {
    draft.set([...path, 'auth', 'passwordFile'], password.value, password)
    lookAtPasswords(draft, password)
  }
  if (acl) {
    draft.set([...path, 'acl', 'file'], acl.value, acl)
    lookAtRules(draft, acl)
  }
  if (isTrue(anonymous)) draft.set([...path, 'allowAnonymous'], true, anonymous)
}

/** What a listener says of itself alone, whatever the guards of all are. */
function writeOwn(draft: Draft, path: Path, listener: MosquittoListener, guard: Said, isLocal: boolean): void {
  const { said } = listener
  const own = said.get('listener_allow_anonymous')
  const anonymous = own ?? guard.get('allow_anonymous')
  if (own) draft.set([...path, 'allowAnonymous'], isTrue(own), own)
  const byName = isSecure(listener) ? said.get('use_identity_as_username') : undefined
  const bySubject = isSecure(listener) ? said.get('use_subject_as_username') : undefined
  const identity = isTrue(byName) ? byName : isTrue(bySubject) ? bySubject : undefined
  if (identity) {
    draft.set([...path, 'auth'], { certificate: 'cn' }, undefined)
    draft.set([...path, 'auth', 'certificate'], 'cn', identity)
    if (identity === bySubject) {
      draft.cannot(
        identity,
        'a user name is the CN, or a DNS or e-mail name, and not the whole subject: name users so in the access rules',
      )
    }
    if (!isTrue(said.get('require_certificate'))) {
      if (isTrue(anonymous)) draft.set([...path, 'allowAnonymous'], false, identity, 'nobody without a certificate')
      draft.cannot(
        identity,
        'clients are asked for a certificate where tls.requestCert is true, and nobody else comes in',
      )
    }
  } else if (isLocal && !anonymous && guard.has('password_file')) {
    const how = 'as mosquitto without a listener: programs of this machine need no password'
    draft.set([...path, 'allowAnonymous'], true, undefined, how)
  }
}

/** A plugin that guards is not loaded: where its file cannot take its place, nobody may do anything until somebody says who. */
function writePlugin(draft: Draft, path: Path, group: Group, passwords: string): void {
  const file = group.lines.find(({ option }) => /^(auth|plugin)_opt_config_file$/.test(option))
  if (isDynamicSecurityPlugin(group.first.value)) {
    if (!file) draft.refuse(group.first, 'it needs plugin_opt_config_file')
    else if (draft.passwords !== undefined)
      draft.cannot(file, 'one dynamic-security.json is translated; import this one by itself')
    else if (!existsSync(file.value))
      draft.cannot(file, `${file.value} is not here: import it where it is, or by itself`)
    else return writeDynamicSecurity(draft, path, file.value, readDynamicSecurity(file.value), passwords)
  }
  const acl = draft.at([...path, 'acl'])
  if (acl === undefined) {
    draft.set([...path, 'acl', 'rules'], [], undefined)
    draft.remark(group.first, 'acl.rules is empty in its place: until you say who may do what, nobody may do anything')
  }
}

/** @param path of what holds it: a listener, or nothing for all. */
export function writeDynamicSecurity(
  draft: Draft,
  path: Path,
  file: string,
  { passwords: lines, rules, untranslated, remarks }: DynamicSecurity,
  passwords: string,
): void {
  const place = (entry: string): { where: string; option: string; value: string } => ({
    where: file,
    option: entry,
    value: '',
  })
  draft.passwords = lines.map((line) => `${line}\n`).join('')
  const other = draft.at([...path, 'auth', 'passwordFile'])
  const acl = draft.at([...path, 'acl', 'file'])
  draft.set([...path, 'auth', 'passwordFile'], passwords, undefined, `users of ${file}`)
  if (other !== undefined) {
    draft.cannot(
      place('clients'),
      `one password file holds: the lines of ${String(other)} belong into ${passwords} too`,
    )
  }
  for (const { entry, why } of untranslated) draft.cannot(place(entry), why)
  for (const { entry, why } of remarks) draft.remark(place(entry), why)
  if (acl !== undefined) {
    draft.cannot(
      place('roles'),
      `one list of rules holds, that of ${String(acl)}: import this file by itself for those of its roles`,
    )
    return
  }
  draft.set([...path, 'acl', 'rules'], [], undefined)
  for (const [at, { rule, from }] of rules.entries()) {
    for (const [key, value] of Object.entries(rule)) {
      draft.set([...path, 'acl', 'rules', at, key], value, undefined, key === 'filter' ? from : undefined)
    }
  }
  if (rules.some(({ rule: { filter } }) => filter.includes('${'))) {
    draft.remark(
      place('roles'),
      '%c and %u stand for the client’s own, as in mosquitto 2.1; 2.0 takes them for two letters',
    )
  }
}

/** Told once where listeners have one guard, else for each. */
function tellWhoIsShutOut(
  draft: Draft,
  reading: Reading,
  listeners: readonly MosquittoListener[],
  isLocal: boolean,
): void {
  const { perListener, global, groups } = reading
  const shut = listeners.filter((listener, index) => {
    const { said } = listener
    const guard = perListener ? said : global
    const anonymous = said.get('listener_allow_anonymous') ?? guard.get('allow_anonymous')
    const asks = draft.at(['listeners', index, 'auth']) ?? (perListener ? undefined : draft.at(['auth']))
    return asks === undefined && !(anonymous ? isTrue(anonymous) : isLocal)
  })
  const hasPlugin = groups.some(guards)
  for (const { line } of perListener ? shut : shut.slice(0, 1)) {
    draft.cannot(
      line ?? global.get('allow_anonymous'),
      `${hasPlugin ? 'without the plugin nothing says who may come in' : 'mosquitto lets nobody in without a password file'}; add auth (godwit passwd makes a password file), or allowAnonymous for anyone`,
    )
  }
}

/** A broker does not start with a line that mosquitto passes over; what needs a package is told before it is missed. */
function lookAtPasswords(draft: Draft, line: MosquittoLine): void {
  const problems = passwordFileProblems(textIn(line.value) ?? '')
  const wanting = problems.filter(({ needsPackage }) => needsPackage)
  if (wanting.length > 0) {
    draft.cannot(
      line,
      `${line.value}: passwords hashed with argon2id (lines ${wanting.map(({ line: at }) => at).join(', ')}) need a package: npm install @node-rs/argon2`,
    )
  }
  for (const { line: at, why, needsPackage } of problems) {
    if (!needsPackage)
      draft.cannot(
        line,
        `${line.value}:${at}: ${why}; mosquitto passes over the line, the broker does not start with it`,
      )
  }
}

function lookAtRules(draft: Draft, line: MosquittoLine): void {
  if (/\.(ya?ml|json)$/.test(line.value)) {
    draft.cannot(line, 'a name that ends so is one of our own form; rename the file, and say its new name')
  }
  const text = textIn(line.value)
  if (text === undefined) return
  try {
    mosquittoAcl(text, line.value, (warning) => draft.remark(line, warning))
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    draft.cannot(line, error.message)
  }
}

/** Undefined where it is not on this machine, or not for us to read. */
function textIn(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
