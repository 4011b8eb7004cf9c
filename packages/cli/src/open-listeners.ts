import { isDeepStrictEqual } from 'node:util'
import type { Broker, InheritedSocket, Listener, ListenOptions } from '@godwit/broker'
import { isAnonymous } from './broker-access.js'
import { inPlace } from './config/in-place.js'
import type { Resolved } from './config/resolve.js'
import { type ConfiguredListener, listenerName, listenerNames, listenOptions, portOf } from './configured-listeners.js'
import type { Prepared, Reloadable } from './control/reloading.js'
import { listenOn } from './systemd-sockets.js'

/** A listener of the configuration that is open. */
interface Opened {
  readonly place: string
  /** What hooks call it. */
  readonly name: string
  readonly options: ListenOptions
  readonly listener: Listener
  /** In words, as `127.0.0.1:1883`. */
  readonly words: string
}

/** One that a configuration asks for. */
type Wanted = Omit<Opened, 'listener' | 'words'> & { readonly configured: ConfiguredListener; readonly at: number }

/** What becomes of them. */
interface Change {
  readonly reloaded: readonly string[]
  readonly opened: readonly Opened[]
  readonly closed: readonly Opened[]
  /** What is done in the turn in which all parts change. */
  readonly commits: readonly (() => void)[]
}

/** The listeners of a broker, or of a node whoever serves, as its configuration says. */
export class OpenListeners implements Reloadable {
  readonly #house: Pick<Broker, 'listen'>
  #broker: Broker | undefined
  readonly #sockets: readonly InheritedSocket[]
  #opened: readonly Opened[] = []

  private constructor(house: Pick<Broker, 'listen'>, sockets: readonly InheritedSocket[]) {
    this.#house = house
    this.#sockets = sockets
  }

  /**
   * @param house whose they are: a broker's, or an edge's.
   * @param sockets those that systemd has given to this process, for the first of them.
   * @throws CommandError, naming the place of the one that cannot be opened.
   */
  static async open(
    house: Pick<Broker, 'listen'>,
    settings: Resolved,
    sockets: readonly InheritedSocket[],
  ): Promise<OpenListeners> {
    const listeners = new OpenListeners(house, sockets)
    const opened: Opened[] = []
    for (const wanted of await listeners.#wanted(settings)) opened.push(await listeners.#open(wanted, settings, true))
    listeners.#opened = opened
    return listeners
  }

  /** In words, as `127.0.0.1:1883`. */
  get words(): readonly string[] {
    return this.#opened.map(({ words }) => words)
  }

  /** What hooks call them. */
  get names(): readonly string[] {
    return this.#opened.map(({ name }) => name)
  }

  /** Whose clients they are now that come in here. */
  serveBy(broker: Broker): void {
    this.#broker = broker
  }

  async prepare(next: Resolved): Promise<Prepared | undefined> {
    const undo: (() => unknown)[] = []
    const abandon = async (): Promise<void> => {
      for (const step of undo.reverse()) await step()
    }
    try {
      const { reloaded, opened, closed, commits } = await this.#change(next, undo)
      return {
        reloaded,
        commit: async () => {
          const before = this.#opened
          this.#opened = opened
          for (const commit of commits) commit()
          for (const { listener } of closed) void listener.close() // settles when the last of its clients has gone
          await this.#disconnect(before)
        },
        abandon,
      }
    } catch (error) {
      await abandon()
      throw error
    }
  }

  /** @param undo gets what is to be done if it is given up. */
  async #change(next: Resolved, undo: (() => unknown)[]): Promise<Change> {
    const left = new Map(this.#opened.map((one) => [one.place, one]))
    const wanted = await this.#wanted(next)
    const places = new Set(wanted.map(({ place }) => place))
    const closed = this.#opened.filter(({ place }) => !places.has(place))
    const reloaded: string[] = []
    const commits: (() => void)[] = []
    const opened: Opened[] = []
    for (const one of wanted) {
      const known = left.get(one.place)
      left.delete(one.place)
      if (!known) {
        const fresh = await this.#openBeside(one, next, closed, undo)
        reloaded.push(`listener ${fresh.words} opened`)
        commits.push(() => fresh.listener.open())
        opened.push(fresh)
        continue
      }
      const { name, options } = one
      const isSame = isDeepStrictEqual(options, known.options)
      const words = this.#wordsOf(one, known.listener)
      opened.push({ ...known, name, options, words })
      if (!isSame) reloaded.push(`listener ${words} changed`)
      else if (options.tls) reloaded.push('certificates')
      if (isSame && !options.tls) continue
      const prepared = await inPlace(next, ['listeners', one.at], () => known.listener.prepare(options))
      undo.push(() => prepared.abandon())
      commits.push(() => prepared.commit())
    }
    reloaded.push(...closed.map(({ words }) => `listener ${words} closed`))
    return { reloaded, opened, closed, commits }
  }

  async #wanted(settings: Resolved): Promise<readonly Wanted[]> {
    const { listeners } = settings.config
    const names = listenerNames(listeners)
    const wanted: Wanted[] = []
    for (const [at, configured] of listeners.entries()) {
      const name = names[at]!
      const anonymous = isAnonymous(configured, settings.config)
      const options = await inPlace(settings, ['listeners', at], () =>
        listenOn(this.#sockets[at], listenOptions(configured, name, anonymous)),
      )
      const place = this.#sockets[at] ? `socket ${at} of systemd` : placeOf(configured, name)
      wanted.push({ place, name, options, configured, at })
    }
    return wanted
  }

  async #open(
    { place, name, options, configured, at }: Wanted,
    settings: Resolved,
    accepting: boolean,
  ): Promise<Opened> {
    const listener = await inPlace(settings, ['listeners', at], () => this.#house.listen({ ...options, accepting }))
    return { place, name, options, listener, words: this.#wordsOf({ configured, at }, listener) }
  }

  /**
   * Opens another one, which lets nobody in yet. One that is to be closed, and is bound to the same port at other addresses, gives
   * way to it: for that moment nobody can come in there.
   */
  async #openBeside(
    wanted: Wanted,
    next: Resolved,
    closed: readonly Opened[],
    undo: (() => unknown)[],
  ): Promise<Opened> {
    const open = async (): Promise<Opened> => {
      const opened = await this.#open(wanted, next, false)
      undo.push(() => opened.listener.close())
      return opened
    }
    const inTheWay = closed.filter(({ listener: { port } }) => port !== 0 && port === portOf(wanted.configured))
    if (inTheWay.length === 0) return open()
    for (const old of inTheWay) {
      void old.listener.close()
      undo.push(() => this.#openAgain(old))
    }
    await new Promise(setImmediate) // until the system has let it go
    return open()
  }

  /** What has given way is back. */
  async #openAgain(old: Opened): Promise<void> {
    const listener = await this.#house.listen({ ...old.options, port: old.listener.port } as ListenOptions)
    this.#opened = this.#opened.map((one) => (one === old ? { ...old, listener } : one))
  }

  #wordsOf({ configured, at }: Pick<Wanted, 'configured' | 'at'>, { host, port }: Listener): string {
    return listenerName(this.#sockets[at] ? { ...configured, host } : configured, port)
  }

  /** Whoever came to one that is no more, or is called otherwise since something else is spoken there, has to come again. */
  async #disconnect(before: readonly Opened[]): Promise<void> {
    const names = new Set(before.map(({ name }) => name))
    for (const { name } of this.#opened) names.delete(name)
    const broker = this.#broker
    if (names.size === 0 || !broker) return
    for await (const { clientId, listener } of broker.clients.list()) {
      if (listener === undefined || !names.has(listener)) continue
      await broker.disconnect(clientId, { reasonString: 'this listener has been closed' })
    }
  }
}

/** Where it listens: what stays the same when all else of it is changed. Where any free port is taken, that is its name. */
function placeOf(configured: ConfiguredListener, name: string): string {
  const port = portOf(configured)
  return configured.socket ?? (port === 0 ? name : `${configured.host} ${port}`)
}
