import { join } from 'node:path'
import { nearest } from '@godwit/protocol'
import { defaultLayer, type Layer, type Path } from '../config/layers.js'
import { commented } from '../config/print.js'
import { resolve } from '../config/resolve.js'
import { configSchema, defaults } from '../config/schema.js'
import { Draft, type Note } from './draft.js'
import { type MosquittoLine, mosquittoLines } from './mosquitto-lines.js'
import { isTrue, type MosquittoListener, readListener, type Said, writeListener } from './mosquitto-listener.js'
import { mosquittoOptions, type Scope } from './mosquitto-options.js'

/** A mosquitto configuration in our form. */
export interface Imported {
  readonly yaml: string
  /** What it says and this cannot, in the order of the lines. */
  readonly untranslated: readonly Note[]
}

/**
 * Translates a mosquitto.conf of 1.6 to 2.1, with the files it includes. Every option is known: it is translated, needs
 * nothing, or is told with what to do instead.
 * @throws CommandError for a file that cannot be read.
 */
export function importMosquitto(file: string): Imported {
  const lines = mosquittoLines(file)
  const reading = new Reading()
  for (const line of lines) reading.take(line)
  const draft = reading.finish()
  checkItself(draft)
  const order = new Map(lines.map(({ where }, at) => [where, at]))
  const untranslated = draft.untranslated.sort(
    (one, other) => (order.get(one.where) ?? lines.length) - (order.get(other.where) ?? lines.length),
  )
  return { yaml: yamlOf(draft, file), untranslated }
}

/** What mosquitto would refuse too, a port that is none for one, is told like the rest. */
function checkItself(draft: Draft): void {
  const own: Layer = { values: draft.values, where: (path) => draft.originOf(path) ?? 'the result' }
  try {
    resolve([defaultLayer(defaults), own])
  } catch (error) {
    draft.cannot(undefined, (error as Error).message)
  }
}

/** Lines that are told as one: a bridge or a plugin, and all that belongs to it. */
interface Group {
  readonly first: MosquittoLine
  readonly scope: 'bridge' | 'plugin'
  more: number
}

const groupBegins = /^(connection|auth_plugin|plugin|global_plugin|plugin_load)$/

class Reading {
  readonly #draft = new Draft()
  readonly #global: Said = new Map()
  readonly #default: MosquittoListener = { line: undefined, port: 1883, at: undefined, said: new Map(), origins: [] }
  readonly #listeners: MosquittoListener[] = []
  readonly #groups: Group[] = []
  #current: MosquittoListener = this.#default
  #perListener = false

  take(line: MosquittoLine): void {
    const { option } = line
    if (option === 'listener') {
      this.#current = readListener(line)
      this.#listeners.push(this.#current)
      return
    }
    if (/^(auth|plugin)_opt_./.test(option)) return this.#takePluginOption(line)
    const known = mosquittoOptions.get(option)
    if (!known) return this.#unknown(line)
    if (known.scope === 'bridge' || known.scope === 'plugin') return this.#takeGrouped(line, known.scope)
    if (option === 'port' || option === 'bind_address') this.#current = this.#default
    if (option === 'per_listener_settings') this.#perListener ||= isTrue(line)
    if (option === 'websockets_origin') this.#current.origins.push(line)
    this.#remember(line, known.scope)
    known.write?.(this.#draft, line)
  }

  finish(): Draft {
    const listeners = this.#allListeners()
    for (const { first, scope, more } of this.#groups) this.#draft.cannot(first, insteadOfGroup(first, scope, more))
    for (const [index, listener] of listeners.entries()) {
      writeListener(this.#draft, index, listener, this.#isLocal)
      this.#writeOwnAccess(index, listener)
    }
    if (!this.#perListener) this.#writeCommonAccess()
    this.#writeShared(listeners)
    this.#writeData()
    this.#tellWhoIsShutOut(listeners)
    if (!(this.#draft.values.features as { mqtt31?: boolean } | undefined)?.mqtt31) this.#writeMqtt31(listeners)
    return this.#draft
  }

  /** Without a listener, a port or an address mosquitto serves its own machine alone, and asks nobody who he is. */
  get #isLocal(): boolean {
    return this.#listeners.length === 0 && !this.#default.said.has('port') && !this.#default.said.has('bind_address')
  }

  #allListeners(): readonly MosquittoListener[] {
    const port = this.#default.said.get('port')
    const says = [...this.#default.said.values()].some(({ option, value }) => !isDefault(option, value))
    const isUsed = says || this.#listeners.length === 0
    const own = { ...this.#default, port: port ? Number(port.value) : 1883 }
    const all = isUsed ? [own, ...this.#listeners] : this.#listeners
    return all.filter(({ said, line }) => {
      if (said.get('protocol')?.value !== 'http_api') return true
      this.#draft.cannot(line ?? said.get('protocol'), 'there is no HTTP API at a listener; this one is left out')
      return false
    })
  }

  #remember(line: MosquittoLine, scope: Scope): void {
    const isOwn = scope === 'listener' || (scope === 'security' && this.#perListener)
    const said = isOwn ? this.#current.said : this.#global
    const before = said.get(line.option)
    if (before && !['log_dest', 'log_type', 'websockets_origin'].includes(line.option)) {
      this.#draft.needsNothing(before, `${line.where} says otherwise`)
    }
    said.set(line.option, line)
  }

  #takeGrouped(line: MosquittoLine, scope: 'bridge' | 'plugin'): void {
    if (groupBegins.test(line.option)) return void this.#groups.push({ first: line, scope, more: 0 })
    const group = this.#groups.findLast((candidate) => candidate.scope === scope)
    if (group) group.more++
    else this.#draft.cannot(line, scope === 'bridge' ? 'it belongs to no connection' : 'it belongs to no plugin')
  }

  /** mosquitto 2.1 has password and acl files as plugins; their files are the same. */
  #takePluginOption(line: MosquittoLine): void {
    const [, option] = /^plugin_opt_(password_file|acl_file)$/.exec(line.option) ?? []
    if (option !== undefined) this.#remember({ ...line, option }, 'security')
    else this.#takeGrouped(line, 'plugin')
  }

  #unknown(line: MosquittoLine): void {
    const meant = nearest(line.option, [...mosquittoOptions.keys()])
    this.#draft.cannot(line, `mosquitto has no such option${meant === undefined ? '' : `; did you mean ${meant}?`}`)
  }

  #writeCommonAccess(): void {
    const password = this.#global.get('password_file')
    const acl = this.#global.get('acl_file')
    const anonymous = this.#global.get('allow_anonymous')
    if (password) this.#draft.set(['auth', 'passwordFile'], password.value, password)
    if (acl) this.#writeAclFile(['acl', 'file'], acl)
    if (isTrue(anonymous)) this.#draft.set(['allowAnonymous'], true, anonymous)
  }

  #writeOwnAccess(index: number, { said }: MosquittoListener): void {
    const set = (steps: readonly string[], value: unknown, line: MosquittoLine): void =>
      this.#draft.set(['listeners', index, ...steps], value, line)
    const identity = said.get('use_identity_as_username')
    const password = said.get('password_file')
    const acl = said.get('acl_file')
    const anonymous = said.get('listener_allow_anonymous') ?? said.get('allow_anonymous')
    if (identity && isTrue(identity)) {
      set(['auth', 'certificate'], 'cn', identity)
      if (!isTrue(said.get('require_certificate'))) {
        this.#draft.cannot(
          identity,
          'clients are asked for a certificate where tls.requestCert is true, and nobody else comes in',
        )
      }
    } else if (password) set(['auth', 'passwordFile'], password.value, password)
    if (acl) this.#writeAclFile(['listeners', index, 'acl', 'file'], acl)
    if (anonymous && (isTrue(anonymous) || anonymous.option === 'listener_allow_anonymous')) {
      set(['allowAnonymous'], isTrue(anonymous), anonymous)
    }
  }

  #writeAclFile(path: Path, line: MosquittoLine): void {
    this.#draft.set(path, line.value, line)
    if (!/\.(ya?ml|json)$/.test(line.value)) return
    this.#draft.cannot(line, 'a name that ends so is one of our own form; rename the file, and say its new name')
  }

  /** Told once where listeners have one guard, else for each. */
  #tellWhoIsShutOut(listeners: readonly MosquittoListener[]): void {
    const shut = listeners.filter(({ said }) => {
      const guards = this.#perListener ? said : this.#global
      const anonymous = said.get('listener_allow_anonymous') ?? guards.get('allow_anonymous')
      const asks = guards.has('password_file') || isTrue(said.get('use_identity_as_username'))
      return !asks && !(anonymous ? isTrue(anonymous) : this.#isLocal)
    })
    const hasPlugin = this.#groups.some(({ scope }) => scope === 'plugin')
    for (const { line } of this.#perListener ? shut : shut.slice(0, 1)) {
      this.#draft.cannot(
        line ?? this.#global.get('allow_anonymous'),
        `${hasPlugin ? 'without the plugin nothing says who may come in' : 'mosquitto lets nobody in without a password file'}; add auth (godwit passwd makes a password file), or allowAnonymous for anyone`,
      )
    }
  }

  /** What mosquitto says of each listener and this of the broker. */
  #writeShared(listeners: readonly MosquittoListener[]): void {
    const shared = [
      { options: ['max_connections'], path: ['limits', 'maxConnections'], adds: true },
      { options: ['max_qos', 'maximum_qos'], path: ['features', 'maximumQos'], adds: false },
      { options: ['max_topic_alias'], path: ['limits', 'topicAliasMaximum'], adds: false },
    ]
    for (const { options, path, adds } of shared) {
      const lines = listeners.flatMap(({ said }) => options.flatMap((option) => said.get(option) ?? []))
      const [first] = lines
      if (!first) continue
      const isOne = listeners.length === lines.length && new Set(lines.map(({ value }) => value)).size === 1
      const value = Number(first.value)
      if (adds && value < 0) this.#draft.needsNothing(first, `the default of ${path.join('.')} holds`)
      else if (isOne && !(adds && listeners.length > 1)) this.#draft.set(path, value, first)
      else
        for (const line of lines)
          this.#draft.cannot(line, `${path.join('.')} is one for all listeners; say it yourself`)
    }
  }

  #writeData(): void {
    const persistence = this.#global.get('persistence') ?? this.#global.get('retained_persistence')
    const location = this.#global.get('persistence_location')
    if (isTrue(persistence) && location) {
      const how = 'mosquitto.db beside it stays as it is, and is not read'
      this.#draft.set(['data'], join(location.value, 'godwit'), location, how)
    } else if (persistence && !isTrue(persistence)) this.#draft.set(['data'], 'memory', persistence)
    else if (persistence) this.#draft.set(['data'], './godwit-data', persistence)
    else this.#draft.set(['data'], './godwit-data', undefined, 'mosquitto would keep nothing: for that, say memory')
    if (location && !isTrue(persistence))
      this.#draft.needsNothing(location, 'nothing is kept there without persistence')
  }

  #writeMqtt31(listeners: readonly MosquittoListener[]): void {
    if (listeners.some(({ said }) => said.has('accept_protocol_versions'))) return
    this.#draft.set(
      ['features', 'mqtt31'],
      true,
      undefined,
      'mosquitto serves MQTT 3.1 too; clients of after 2014 need it not',
    )
  }
}

/** Whether it leaves the default listener as if nobody had spoken of it. */
function isDefault(option: string, value: string): boolean {
  return (option === 'protocol' && value === 'mqtt') || (option === 'max_connections' && Number(value) < 0)
}

function insteadOfGroup({ option, value }: MosquittoLine, scope: Group['scope'], more: number): string {
  const lines = more === 0 ? '' : ` (with ${more} more ${more === 1 ? 'line' : 'lines'} of it)`
  if (scope === 'bridge') {
    return `there are no bridges in the broker${lines}; let a mosquitto carry the messages, with this broker as its address and try_private false`
  }
  if (/dynamic.security/.test(value)) {
    return `no plugins are loaded${lines}; write its users into a password file (godwit passwd) and its roles into acl rules`
  }
  if (/go-auth|auth-plug|jwt|http/.test(value)) {
    return `no plugins are loaded${lines}; auth.http asks a service, auth.jwt takes tokens, and a password file of mosquitto_passwd works`
  }
  if (/persist/.test(value)) return `no plugins are loaded${lines}; data is kept on disk without one`
  if (/password.file|acl.file/.test(value)) return `no plugins are loaded${lines}; the file it is given is read`
  return `no plugins are loaded${lines}; ${option.startsWith('auth') ? 'auth.http asks a service of yours' : 'hooks of the embedded broker do what plugins do'}`
}

function yamlOf(draft: Draft, file: string): string {
  const order = Object.keys(configSchema.shape)
  const entries = Object.entries(draft.values).sort(([one], [other]) => order.indexOf(one) - order.indexOf(other))
  const body = commented(Object.fromEntries(entries), (path) => draft.originOf(path))
  const head = `# Made by \`godwit config import ${file}\`. Behind each value: the line it comes from.\n`
  return `${head}${body}${told('Not translated', draft.untranslated)}${told('Needs no setting', draft.needless)}`
}

function told(title: string, notes: readonly Note[]): string {
  if (notes.length === 0) return ''
  return `\n# ${title}:\n${notes.map((note) => `#   ${noteInWords(note)}\n`).join('')}`
}

/** One line. */
export function noteInWords({ where, said, why }: Note): string {
  return where === '' ? why : `${where}: ${said}: ${why}`
}
