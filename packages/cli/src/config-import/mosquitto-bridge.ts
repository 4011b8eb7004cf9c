import type { Path } from '../config/layers.js'
import type { Draft } from './draft.js'
import type { MosquittoLine } from './mosquitto-lines.js'
import { writeAuthorities } from './mosquitto-listener.js'
import type { Group } from './mosquitto-reading.js'

/** A `connection` and its lines: the last one of each option, and all of `topic`. */
interface Connection {
  readonly first: MosquittoLine
  readonly said: ReadonlyMap<string, MosquittoLine>
  readonly topics: readonly MosquittoLine[]
}

/** Other names of the same option. */
const aliases: Readonly<Record<string, string>> = {
  addresses: 'address',
  clientid: 'remote_clientid',
  password: 'remote_password',
  username: 'remote_username',
}

/** Each of them turns TLS on. */
const ofTls = ['bridge_cafile', 'bridge_capath', 'bridge_certfile', 'bridge_keyfile', 'bridge_tls_use_os_certs']

/**
 * Writes a `connection` of mosquitto as a bridge.
 * @param index of the bridge that it becomes.
 * @param secretFile where its password goes.
 * @returns whether it became one; otherwise it has been told why.
 */
export function writeBridge(draft: Draft, index: number, group: Group, secretFile: (name: string) => string): boolean {
  const connection = read(group)
  const { first, said, topics } = connection
  const hindrance = hindranceOf(connection)
  if (hindrance) {
    draft.cannot(hindrance.line, hindrance.why)
    return false
  }
  const at = (...steps: readonly (string | number)[]): Path => ['bridges', index, ...steps]
  const name = first.value.replace(/[^\w.-]+/g, '-')
  draft.set(at('name'), name, first)
  if (name !== first.value) draft.remark(first, `its name is ${name} here: letters, digits, dots, hyphens, underscores`)
  writeAddresses(draft, at, connection)
  writeVersion(draft, at, said.get('bridge_protocol_version'))
  writeTopics(draft, at, topics)
  writeTls(draft, at, said)
  for (const [option, line] of said) written[option]?.(draft, at, line)
  writePassword(draft, at, said.get('remote_password'), secretFile(name))
  writeState(draft, at, said)
  writeSessions(draft, at, said)
  return true
}

type At = (...steps: readonly (string | number)[]) => Path
type WriteOption = (draft: Draft, at: At, line: MosquittoLine) => void

function read({ first, lines }: Group): Connection {
  const said = new Map<string, MosquittoLine>()
  const topics: MosquittoLine[] = []
  for (const line of lines) {
    const option = aliases[line.option] ?? line.option
    if (option === 'topic') topics.push(line)
    else said.set(option, line)
  }
  return { first, said, topics }
}

/** Why there can be no such bridge. */
function hindranceOf({
  first,
  said,
  topics,
}: Connection): { readonly line: MosquittoLine; readonly why: string } | undefined {
  const psk = said.get('bridge_psk') ?? said.get('bridge_identity')
  if (psk)
    return { line: psk, why: 'there is no TLS with pre-shared keys, so this bridge is left out; give it a certificate' }
  const ocsp = said.get('bridge_require_ocsp')
  if (ocsp?.value === 'true') {
    return { line: ocsp, why: 'no OCSP is asked for, so this bridge is left out; without the line it is written' }
  }
  if (!said.has('address')) return { line: first, why: 'it has no address; mosquitto does not start with it' }
  if (topics.length === 0) return { line: first, why: 'it has no topic, so that it carries nothing; it is left out' }
  return undefined
}

function writeAddresses(draft: Draft, at: At, { said }: Connection): void {
  const line = said.get('address')!
  const scheme = ofTls.some((option) => said.has(option)) ? 'mqtts' : 'mqtt'
  const urls = line.value.split(/\s+/).map((address) => `${scheme}://${withPort(address)}`)
  draft.set(at('url'), urls.length === 1 ? urls[0] : urls, line)
  const round = said.get('round_robin')
  if (urls.length === 1 || round?.value === 'true') return
  const why = 'mosquitto goes back to the first address when that is there again; this stays where it is connected'
  draft.remark(round ?? line, why)
}

function withPort(address: string): string {
  return /:\d+$/.test(address) ? address : `${address}:1883`
}

function writeVersion(draft: Draft, at: At, line: MosquittoLine | undefined): void {
  const versions: Readonly<Record<string, string>> = {
    mqttv50: '5.0',
    mqttv5: '5.0',
    mqttv311: '3.1.1',
    mqttv31: '3.1',
  }
  const version = line ? versions[line.value] : '3.1.1'
  if (version === undefined) return draft.refuse(line!, 'it takes mqttv50, mqttv311 or mqttv31')
  draft.set(
    at('version'),
    version,
    line,
    line ? undefined : 'as mosquitto without a word; without this line 5.0 is tried, which carries more',
  )
}

/** `PATTERN [out|in|both [QOS [LOCAL [REMOTE]]]]`, where `""` is nothing. */
function writeTopics(draft: Draft, at: At, lines: readonly MosquittoLine[]): void {
  for (const [number, line] of lines.entries()) {
    const [pattern = '', direction = 'out', qos = '0', local = '', remote = ''] = line.value.split(/\s+/).map(unquoted)
    if (!/^(out|in|both)$/.test(direction) || !/^[012]$/.test(qos)) {
      draft.refuse(line, 'it takes a pattern, then out, in or both, then a QoS of 0 to 2, then two prefixes')
      continue
    }
    draft.set(at('topics', number, 'filter'), pattern, line)
    draft.set(at('topics', number, 'direction'), direction, undefined)
    draft.set(at('topics', number, 'qos'), Number(qos), undefined)
    if (local !== '') draft.set(at('topics', number, 'localPrefix'), local, undefined)
    if (remote !== '') draft.set(at('topics', number, 'remotePrefix'), remote, undefined)
  }
}

function unquoted(word: string): string {
  return word === '""' ? '' : word
}

function writeTls(draft: Draft, at: At, said: ReadonlyMap<string, MosquittoLine>): void {
  const plain = { cert: 'bridge_certfile', key: 'bridge_keyfile' }
  for (const [key, option] of Object.entries(plain)) {
    const line = said.get(option)
    if (line) draft.set(at('tls', key), line.value, line)
  }
  const folder = said.get('bridge_capath')
  const isOfSystem = folder !== undefined && /^\/etc\/ssl\/certs\/?$/.test(folder.value)
  if (isOfSystem)
    draft.needsNothing(folder, 'those are known to Node; NODE_OPTIONS=--use-system-ca takes those of the system')
  const authorities = new Map<string, MosquittoLine>()
  const file = said.get('bridge_cafile')
  if (file) authorities.set('cafile', file)
  if (folder && !isOfSystem) authorities.set('capath', folder)
  writeAuthorities(draft, at, authorities)
}

function writePassword(draft: Draft, at: At, line: MosquittoLine | undefined, file: string): void {
  if (!line) return
  draft.set(at('passwordFrom'), file, line, 'a file with the password')
  draft.secrets.set(file, `${line.value}\n`)
}

function writeState(draft: Draft, at: At, said: ReadonlyMap<string, MosquittoLine>): void {
  const isOff = said.get('notifications')
  if (isOff?.value === 'false') return draft.set(at('state'), false, isOff)
  const topic = said.get('notification_topic')
  const local = said.get('notifications_local_only')
  if (topic) draft.set(at('state', 'topic'), topic.value, topic)
  if (local?.value === 'true') draft.set(at('state', 'localOnly'), true, local)
}

/** `cleansession` is for both sides, unless `local_cleansession` says something else. */
function writeSessions(draft: Draft, at: At, said: ReadonlyMap<string, MosquittoLine>): void {
  const clean = said.get('cleansession')
  const local = said.get('local_cleansession')
  const expiry = said.get('bridge_session_expiry_interval')
  if (clean?.value === 'true') draft.set(at('expirySeconds'), 0, clean, 'nothing waits')
  else if (expiry)
    draft.set(at('expirySeconds'), Number(expiry.value) >= 4_294_967_295 ? 'never' : Number(expiry.value), expiry)
  if (local && local.value !== (clean?.value ?? 'false')) {
    draft.cannot(local, 'expirySeconds is one for both sides of a bridge; that of the other side is written')
  }
}

const noSuch =
  (why: string): WriteOption =>
  (draft, _, line) =>
    draft.cannot(line, why)
const needless =
  (why: string): WriteOption =>
  (draft, _, line) =>
    draft.needsNothing(line, why)
const text =
  (...steps: readonly string[]): WriteOption =>
  (draft, at, line) =>
    draft.set(at(...steps), line.value, line)
const flag =
  (name: string): WriteOption =>
  (draft, at, line) =>
    draft.set(at(name), line.value === 'true', line)
/** Below `least` mosquitto takes it for none, and so does this without the line. */
const count =
  (name: string, least = 0): WriteOption =>
  (draft, at, line) =>
    Number(line.value) >= least
      ? draft.set(at(name), Number(line.value), line)
      : draft.needsNothing(line, 'so it is without it')

/** Those that are written one by one. */
const written: Readonly<Record<string, WriteOption>> = {
  bridge_alpn: (draft, at, line) => draft.set(at('tls', 'alpn'), [line.value], line),
  bridge_attempt_unsubscribe: needless('what is not carried any more is left without a word'),
  bridge_bind_address: noSuch('the system chooses the address from which a bridge connects'),
  bridge_ciphers: noSuch('the ciphers are those of Node'),
  'bridge_ciphers_tls1.3': noSuch('the ciphers are those of Node'),
  bridge_insecure: (draft, at, line) =>
    line.value === 'true'
      ? draft.set(at('tls', 'checkServername'), false, line)
      : draft.needsNothing(line, 'that is so'),
  bridge_max_packet_size: count('maxPacketBytes', 20),
  bridge_max_topic_alias: count('topicAliasMaximum'),
  bridge_outgoing_retain: flag('outgoingRetain'),
  bridge_receive_maximum: count('receiveMaximum', 1),
  bridge_reload_type: (draft, _, line) =>
    line.value === 'immediate'
      ? draft.needsNothing(line, 'that is so')
      : draft.remark(line, 'a reload takes a changed bridge up at once, and leaves the others alone'),
  bridge_require_ocsp: needless('that is so'),
  bridge_tcp_keepalive: needless('keepAliveSeconds finds a connection that is dead'),
  bridge_tcp_user_timeout: needless('keepAliveSeconds finds a connection that is dead'),
  bridge_tls_use_os_certs: needless('those of Node are taken; NODE_OPTIONS=--use-system-ca takes those of the system'),
  bridge_tls_version: (draft, at, line) => {
    if (/^tlsv1\.[23]$/.test(line.value))
      draft.set(at('tls', 'minVersion'), line.value.replace('tlsv', 'TLSv'), line, 'or newer')
    else draft.cannot(line, 'there is no TLS below 1.2')
  },
  idle_timeout: needless('a bridge is always connected'),
  keepalive_interval: count('keepAliveSeconds', 5),
  local_clientid: text('localClientId'),
  local_password: needless('the session here is asked for nothing'),
  local_username: (draft, _, line) =>
    draft.remark(line, 'the session here may publish and read everything; access rules are not asked'),
  remote_clientid: text('clientId'),
  remote_username: text('username'),
  restart_timeout: (draft, at, line) => {
    const [base = 5, cap = base] = line.value.split(/\s+/).map(Number)
    draft.set(at('reconnect', 'initialMs'), base * 1_000, line)
    draft.set(at('reconnect', 'maxMs'), cap * 1_000, undefined)
    draft.remark(line, 'here it is a random time between 0 and that, doubled each time up to maxMs')
  },
  start_type: (draft, _, line) =>
    line.value === 'automatic'
      ? draft.needsNothing(line, 'that is so')
      : draft.cannot(line, 'a bridge connects when the broker starts, and stays so'),
  threshold: needless('a bridge is always connected'),
  try_private: flag('bridgeProtocol'),
}
