import { join } from 'node:path'
import type { Draft } from './draft.js'
import { writeAccess } from './mosquitto-access.js'
import { writeBridge } from './mosquitto-bridge.js'
import { groupInWords } from './mosquitto-groups.js'
import type { MosquittoLine } from './mosquitto-lines.js'
import { type MosquittoListener, writeListener } from './mosquitto-listener.js'
import { mosquittoOptions } from './mosquitto-options.js'
import type { Reading } from './mosquitto-reading.js'
import { isTrue, writeLogDestinations, writeLogTypes } from './mosquitto-writes.js'

/** Writes what has been read into the draft. */
export class Translation {
  readonly #draft: Draft
  readonly #reading: Reading
  readonly #passwords: string

  /** @param passwords the password file to name for users out of dynamic-security.json. */
  constructor(draft: Draft, reading: Reading, passwords: string) {
    this.#draft = draft
    this.#reading = reading
    this.#passwords = passwords
  }

  write(): void {
    const { global, groups, logs } = this.#reading
    const listeners = this.#listeners()
    this.#writeBridges()
    for (const group of groups) {
      if (group.scope === 'plugin') this.#draft.cannot(group.first, groupInWords(group))
    }
    for (const [index, listener] of listeners.entries()) {
      writeListener(this.#draft, index, listener, this.#isLocal)
      for (const line of listener.said.values()) mosquittoOptions.get(line.option)?.write?.(this.#draft, line)
    }
    for (const line of global.values()) mosquittoOptions.get(line.option)?.write?.(this.#draft, line)
    writeAccess(this.#draft, this.#reading, listeners, this.#isLocal, this.#passwords)
    this.#writeShared(listeners)
    this.#writeData()
    writeLogTypes(
      this.#draft,
      logs.filter(({ option }) => option === 'log_type'),
    )
    writeLogDestinations(
      this.#draft,
      logs.filter(({ option }) => option === 'log_dest'),
    )
  }

  #writeBridges(): void {
    let index = 0
    for (const group of this.#reading.groups) {
      if (group.scope !== 'bridge') continue
      const file = (name: string): string => this.#passwords.replace(/[^/]*$/, `bridge-${name}.pw`)
      if (writeBridge(this.#draft, index, group, file)) index++
    }
  }

  /** Without a listener, a port or an address mosquitto serves its own machine alone, and asks nobody who he is. */
  get #isLocal(): boolean {
    const { listeners, default: usual } = this.#reading
    return listeners.length === 0 && !usual.said.has('port') && !usual.said.has('bind_address')
  }

  #listeners(): readonly MosquittoListener[] {
    const { listeners } = this.#reading
    const all = [...this.#defaultListener(), ...listeners]
    const served = all.filter((listener) => this.#isServed(listener))
    if (served.length === 0) this.#draft.set(['listeners'], [], undefined)
    return served
  }

  /** Opened for a port or an address, for some options above the first `listener`, or where there is no other. */
  #defaultListener(): readonly MosquittoListener[] {
    const { default: usual, listeners, groups } = this.#reading
    const port = usual.said.get('port')
    const opener =
      [...usual.said.values()].find(({ option, value }) => mosquittoOptions.get(option)?.opens?.(value)) ??
      groups.find(({ listener }) => listener === usual)?.first
    const address = port ?? usual.said.get('bind_address')
    if (listeners.length > 0 && !opener && !address) {
      this.#tellUnopened(usual)
      return []
    }
    if (opener && !address) {
      this.#draft.remark(
        opener,
        this.#isLocal
          ? 'mosquitto 2.0 opens port 1883 on every address for it, and asks nobody who he is; here it is this machine alone: say the host you want'
          : 'it stands above the first listener, so mosquitto 2.0 opens port 1883 on every address too; 2.1 may not start',
      )
    }
    return [{ ...usual, port: port ? Number(port.value) : 1883 }]
  }

  #tellUnopened({ said }: MosquittoListener): void {
    for (const line of said.values()) {
      const { scope, needsListener } = mosquittoOptions.get(line.option)!
      const why = 'it stands above the first listener, and the default listener is not opened for it'
      if (scope === 'security') this.#draft.cannot(line, `${why} in 2.0; 2.1 does not start: put it below its listener`)
      else {
        const there = needsListener ? 'does not start with it' : 'opens port 1883 for it, on every address'
        this.#draft.needsNothing(line, `${why} in 2.0; 2.1 ${there}`)
      }
    }
  }

  /** What is spoken there must be spoken here: a listener that lost its keys would be open. */
  #isServed({ said, line }: MosquittoListener): boolean {
    const hint = said.get('psk_hint')
    const protocol = said.get('protocol')
    const why = hint
      ? 'there is no TLS with pre-shared keys, so this listener is left out; give clients a certificate, or a password over TLS'
      : protocol?.value === 'http_api'
        ? 'there is no HTTP API at a listener; this one is left out'
        : undefined
    if (why !== undefined) this.#draft.cannot(hint ?? line ?? protocol, why)
    return why === undefined
  }

  /** What mosquitto says of each listener and this of the broker. */
  #writeShared(listeners: readonly MosquittoListener[]): void {
    this.#writeConnections(listeners)
    for (const setting of shared) this.#writeOneForAll(setting, listeners)
    if (this.#draft.at(['features', 'mqtt31']) === undefined) {
      this.#draft.set(['features', 'mqtt31'], true, undefined, serves31)
    }
    for (const { said } of listeners) {
      const line = said.get('accept_protocol_versions')
      const versions = line?.value.split(/[\s,]+/) ?? []
      if (line && !(versions.includes('4') && versions.includes('5'))) {
        this.#draft.cannot(line, 'MQTT 3.1.1 and 5.0 are always served; only 3.1 can be switched off')
      }
    }
    const global = this.#reading.global.get('allow_zero_length_clientid')
    if (global) this.#draft.set(['features', 'emptyClientIds'], isTrue(global), global)
  }

  #writeOneForAll({ options, path, usual, read }: Shared, listeners: readonly MosquittoListener[]): void {
    const said = listeners.map((listener) => options.map((name) => listener.said.get(name)).find(Boolean))
    const lines = said.filter((line) => line !== undefined)
    const [first] = lines
    if (!first) return
    if (new Set(said.map((line) => (line ? read(line) : usual))).size === 1) {
      return this.#draft.set(path, read(first), first)
    }
    const refusing = lines.find((line) => read(line) === false)
    if (refusing) this.#draft.set(path, false, refusing)
    const what = refusing ? 'the stricter one is written' : 'say it yourself'
    for (const line of lines) this.#draft.cannot(line, `${path.join('.')} is one for all listeners; ${what}`)
  }

  #writeConnections(listeners: readonly MosquittoListener[]): void {
    const path = ['limits', 'maxConnections']
    const lines = listeners.flatMap(({ said }) => said.get('max_connections') ?? [])
    const bounds = lines.filter(({ value }) => Number(value) > 0)
    const sum = bounds.reduce((total, { value }) => total + Number(value), 0)
    for (const line of lines) {
      const value = Number(line.value)
      if (value < 0) this.#draft.needsNothing(line, `the default of ${path.join('.')} holds`)
      else if (value === 0) this.#draft.cannot(line, 'nobody could come in there; leave the listener out')
      else if (bounds.length < listeners.length) {
        this.#draft.cannot(line, `${path.join('.')} is one for all listeners; say it yourself`)
      } else if (line === bounds[0]) this.#draft.setLowest(path, sum, line, bounds.length > 1 ? sumOfAll : undefined)
      else this.#draft.needsNothing(line, `${path.join('.')} has the sum`)
    }
  }

  #writeData(): void {
    const { global } = this.#reading
    const both = ['persistence', 'retained_persistence'].flatMap((option) => global.get(option) ?? [])
    const persistence = both.at(-1)
    const location = global.get('persistence_location')
    if (isTrue(persistence) && location) {
      const how = 'mosquitto.db beside it stays as it is, and is not read'
      this.#draft.set(['data'], join(location.value, 'godwit'), location, how)
    } else if (persistence && !isTrue(persistence)) this.#draft.set(['data'], 'memory', persistence)
    else if (persistence) this.#draft.set(['data'], './godwit-data', persistence)
    else this.#draft.set(['data'], './godwit-data', undefined, 'mosquitto would keep nothing: for that, say memory')
    if (location && !isTrue(persistence))
      this.#draft.needsNothing(location, 'nothing is kept there without persistence')
  }
}

const serves31 = 'mosquitto serves MQTT 3.1 too; clients of after 2014 need it not'
const sumOfAll = 'the sum of all listeners: it is one bound here'

/** What mosquitto says of each listener, and this of all. */
interface Shared {
  readonly options: readonly string[]
  readonly path: readonly string[]
  /** What holds where a listener does not say it. */
  readonly usual: unknown
  readonly read: (line: MosquittoLine) => unknown
}

const shared: readonly Shared[] = [
  {
    options: ['max_qos', 'maximum_qos'],
    path: ['features', 'maximumQos'],
    usual: 2,
    read: ({ value }) => Number(value),
  },
  {
    options: ['max_topic_alias'],
    path: ['limits', 'topicAliasMaximum'],
    usual: 10,
    read: ({ value }) => Number(value),
  },
  {
    options: ['accept_protocol_versions'],
    path: ['features', 'mqtt31'],
    usual: true,
    read: ({ value }) => value.split(/[\s,]+/).includes('3'),
  },
  { options: ['allow_zero_length_clientid'], path: ['features', 'emptyClientIds'], usual: true, read: isTrue },
]
