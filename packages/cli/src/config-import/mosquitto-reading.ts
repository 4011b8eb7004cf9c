import { nearest } from '@godwit/protocol'
import type { Draft } from './draft.js'
import type { MosquittoLine } from './mosquitto-lines.js'
import { type MosquittoListener, readListener, type Said } from './mosquitto-listener.js'
import { mosquittoOptions, type Scope } from './mosquitto-options.js'
import { readValue } from './mosquitto-values.js'
import { isTrue } from './mosquitto-writes.js'

/** Lines that are told as one: a bridge or a plugin, and all that belongs to it. */
export interface Group {
  readonly first: MosquittoLine
  readonly scope: 'bridge' | 'plugin'
  /** The listener a plugin guards; undefined: all. */
  readonly listener: MosquittoListener | undefined
  readonly lines: MosquittoLine[]
}

/** Where mosquitto stands in a file: each one begins at the default listener, with no bridge and no plugin. */
interface Position {
  listener: MosquittoListener
  bridge?: Group
  plugin?: Group
  /** The first line of this file that guards listeners. */
  guard?: MosquittoLine
}

const groupBegins = /^(connection|auth_plugin|plugin|global_plugin|plugin_load)$/
/** They add up, or are read with their listener. */
const mayRepeat = ['log_dest', 'log_type', 'websockets_origin']

/** Gives each line to the whole, a listener, a bridge or a plugin, as mosquitto 2.0 does. */
export class Reading {
  readonly global: Said = new Map()
  readonly default: MosquittoListener = { line: undefined, port: 1883, at: undefined, said: new Map(), origins: [] }
  readonly listeners: MosquittoListener[] = []
  readonly groups: Group[] = []
  /** Lines of `log_dest` and `log_type`, which add up. */
  readonly logs: MosquittoLine[] = []
  perListener = false
  readonly #draft: Draft
  readonly #positions = new Map<object, Position>()
  /** Lines of the default listener's address behind a `listener`, and what follows them there. */
  readonly #behind: { readonly line: MosquittoLine; readonly file: object }[] = []

  constructor(draft: Draft) {
    this.#draft = draft
  }

  take(line: MosquittoLine): void {
    const { option } = line
    if (option === 'listener') return this.#takeListener(line)
    if (/^(auth|plugin)_opt_./.test(option)) return this.#takePluginOption(line)
    const known = mosquittoOptions.get(option)
    if (!known) return this.#unknown(line)
    if (known.scope === 'bridge' || known.scope === 'plugin') return this.#takeGrouped(line, known.scope)
    const read = option === 'log_dest' ? readDestination(line.value) : readValue(known.kind, line.value)
    if ('refused' in read) return this.#draft.refuse(line, read.refused)
    if (read.unread !== '') this.#draft.needsNothing(line, `mosquitto does not read '${read.unread}'`)
    if (known.kind.kind === 'text' && / #/.test(read.value)) {
      this.#draft.remark(line, 'mosquitto takes the whole line, with what looks like a comment; so does this')
    }
    this.#remember({ ...line, value: read.value }, known.scope)
  }

  #position({ file }: MosquittoLine): Position {
    const known = this.#positions.get(file)
    if (known) return known
    const begin: Position = { listener: this.default }
    this.#positions.set(file, begin)
    return begin
  }

  #takeListener(line: MosquittoLine): void {
    const listener = readListener(this.#draft, line)
    if (!listener) return
    this.#position(line).listener = listener
    this.listeners.push(listener)
  }

  #remember(line: MosquittoLine, scope: Scope): void {
    const { option } = line
    const position = this.#position(line)
    if (option === 'per_listener_settings') return this.#takePerListener(line, position)
    if (scope === 'security') position.guard ??= line
    if (option === 'websockets_origin') position.listener.origins.push(line)
    if (option === 'log_dest' || option === 'log_type') this.logs.push(line)
    const ofDefault = option === 'port' || option === 'bind_address'
    if (ofDefault && position.listener !== this.default) this.#behind.push({ line, file: line.file })
    const isOwn = scope === 'listener' || (scope === 'security' && this.perListener)
    if (isOwn && !ofDefault) this.#tellBehind(line, position)
    const said = ofDefault ? this.default.said : isOwn ? position.listener.said : this.global
    const before = said.get(option)
    if (before && !mayRepeat.includes(option)) this.#tellRepeated(before, line)
    said.set(option, line)
  }

  #tellRepeated(before: MosquittoLine, line: MosquittoLine): void {
    const { kind } = mosquittoOptions.get(line.option)!
    if (kind.kind === 'text' && kind.once) this.#draft.refuse(line, `${before.where} says it already`)
    else this.#draft.needsNothing(before, `${line.where} says otherwise`)
    if (kind.kind === 'text' && !kind.once) {
      this.#draft.remark(line, `${before.where} says it too: mosquitto 2.1 takes the last, 2.0 does not start`)
    }
  }

  /** 2.0 and 2.1 part where an address of the default listener stands behind a `listener`. */
  #tellBehind(line: MosquittoLine, { listener }: Position): void {
    const behind = this.#behind.find(({ file }) => file === line.file)
    if (!behind || listener === this.default || listener.line === undefined) return
    if (positionOf(behind.line) < positionOf(listener.line)) return // a new listener has begun since
    this.#draft.remark(
      line,
      `it belongs to the listener of ${listener.line.where}, as in mosquitto 2.0; to 2.1 it belongs to the default listener, since ${behind.line.where}`,
    )
  }

  #takePerListener(line: MosquittoLine, { guard }: Position): void {
    if (isTrue(line) && !this.perListener && guard) {
      return this.#draft.refuse(line, `it has to stand before all that guards listeners, such as ${guard.where}`)
    }
    const wasSet = this.perListener
    this.perListener ||= isTrue(line)
    this.global.set(line.option, line)
    if (wasSet && !isTrue(line)) this.#draft.needsNothing(line, 'once it is true, mosquitto leaves it so')
  }

  #takeGrouped(line: MosquittoLine, scope: 'bridge' | 'plugin'): void {
    const position = this.#position(line)
    if (groupBegins.test(line.option)) {
      if (line.value === '') return this.#draft.refuse(line, 'nothing stands behind it')
      const isOwn = scope === 'plugin' && this.perListener && /^(auth_plugin|plugin)$/.test(line.option)
      if (scope === 'plugin') position.guard ??= line
      const group: Group = { first: line, scope, listener: isOwn ? position.listener : undefined, lines: [] }
      position[scope] = group
      this.groups.push(group)
      return
    }
    if (line.option === 'plugin_use') return void position.plugin?.lines.push(line)
    const group = position[scope]
    if (group) group.lines.push(line)
    else if (scope === 'bridge') this.#draft.refuse(line, 'it belongs to a connection, and there is none above it')
    else this.#draft.refuse(line, 'it belongs to a plugin, and there is none above it')
  }

  /** mosquitto 2.1 has password and acl files as plugins; their files are the same. */
  #takePluginOption(line: MosquittoLine): void {
    const [, option] = /^plugin_opt_(password_file|acl_file)$/.exec(line.option) ?? []
    const { plugin } = this.#position(line)
    if (option === undefined || !plugin) return this.#takeGrouped(line, 'plugin')
    if (line.value === '') return this.#draft.refuse(line, 'nothing stands behind it')
    const said = plugin.listener?.said ?? this.global
    said.set(option, { ...line, option })
  }

  #unknown(line: MosquittoLine): void {
    if (line.option.includes('\t')) {
      return this.#draft.refuse(line, 'a blank stands between an option and its value; a tab is none to mosquitto')
    }
    const meant = nearest(line.option, [...mosquittoOptions.keys()])
    this.#draft.cannot(line, `mosquitto has no such option${meant === undefined ? '' : `; did you mean ${meant}?`}`)
  }
}

/** `file PATH` with all of the line behind it, or one word. */
function readDestination(
  written: string,
): { readonly value: string; readonly unread: string } | { readonly refused: string } {
  const words = 'none stdout stderr syslog topic file dlt android'.split(' ')
  const [, kind = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(written) ?? []
  if (kind === '') return { refused: 'nothing stands behind it' }
  if (!words.includes(kind)) return { refused: `it takes ${words.slice(0, -1).join(', ')}, not '${kind}'` }
  if (kind !== 'file') return { value: kind, unread: rest.startsWith('#') || rest === 'unbuffered' ? '' : rest }
  return rest === '' ? { refused: 'file takes a path' } : { value: `file ${rest}`, unread: '' }
}

/** The number of a line in its file. */
function positionOf({ where }: MosquittoLine): number {
  return Number(/\d+$/.exec(where)?.[0])
}
