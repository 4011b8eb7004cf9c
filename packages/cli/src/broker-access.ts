import { isDeepStrictEqual } from 'node:util'
import type { AccessExplainer } from '@godwit/admin/parts'
import type { Hooks, Logger } from '@godwit/broker'
import {
  type AccessRule,
  type AccessRules,
  type AuthenticationChain,
  type Authenticator,
  accessRules,
  authenticationChain,
  parseAccessRules,
} from '@godwit/broker/access'
import { explainerOf } from './access-explainer.js'
import { type Link, linksOf } from './authenticators.js'
import type { BannerFacts } from './banner.js'
import { CommandError } from './command-error.js'
import { readAccessRules } from './commands/acl-file.js'
import { inPlace } from './config/in-place.js'
import type { Path } from './config/layers.js'
import type { Resolved } from './config/resolve.js'
import type { Config } from './config/schema.js'
import { listenerNames } from './configured-listeners.js'
import { consoleListener, hooksByListener, type ListenerHooks } from './hooks-by-listener.js'
import { isLoopback } from './loopback.js'
import { said } from './said.js'

/** Who may come in and do what, as the configuration says. */
export interface Access {
  /** For the broker; others when something else is taken up. */
  readonly hooks: readonly Hooks[]
  /** Says why somebody may do something or not, by the rules in force. */
  readonly explainer: AccessExplainer
  /**
   * Reads all that a configuration says of it.
   * @throws CommandError, BrokerError for files that are not there or wrong: then nothing has changed.
   */
  prepare(next: Resolved): Promise<PreparedAccess>
  /** Reads password files and access rules again and takes them up. @throws as `prepare`. */
  reload(): Promise<void>
  close(): void
}

/** One of both is called, once. */
interface PreparedAccess {
  /** Present clients stay; what they may do is judged anew. */
  commit(): void
  abandon(): void
}

/** What plugins add to it. */
export interface PluginAccess {
  /** Asked after what the configuration says, and before `allowAnonymous`; `undefined`: none of them knows users. */
  readonly users: Authenticator | undefined
  /** Whether one of them says who may come in. */
  readonly authenticates: boolean
}

interface AccessParts {
  readonly log: Logger
  /** As they will be when what is prepared is taken up. Default: there are none. */
  readonly plugins?: PluginAccess
  /** Ends a client whose token has expired. */
  readonly disconnect: (clientId: string) => void
  /** Puts other hooks in the place of those that were there, at once. */
  readonly use: (hooks: readonly Hooks[]) => void
}

type Auth = Config['auth']
type Acl = Config['acl']

/** What guards one place, as it was read; `as all`: the same as for all listeners. */
interface Guard {
  readonly links: readonly Link[] | 'as all' | undefined
  readonly backOff: Auth['backOff']
  readonly rules: AccessRules | 'as all' | undefined
}

/** The place of what guards all listeners that have nothing of their own; those that have are called by their names. */
const all = ''

/**
 * Puts in force what the configuration says.
 * @throws CommandError, BrokerError for files that are not there or wrong.
 */
export async function accessOf(settings: Resolved, parts: AccessParts): Promise<Access> {
  const access = new AccessInForce(settings, parts)
  const first = await access.prepare(settings)
  first.commit()
  return access
}

class AccessInForce implements Access {
  hooks: readonly Hooks[] = []
  readonly #parts: AccessParts
  #settings: Resolved
  #guards: ReadonlyMap<string, Guard> = new Map()
  #chains: ReadonlyMap<string, AuthenticationChain> = new Map()
  #explainer: AccessExplainer | undefined
  /** One after another: what was read must be what is there when it is taken up. */
  #last: Promise<void> = Promise.resolve()

  constructor(settings: Resolved, parts: AccessParts) {
    this.#settings = settings
    this.#parts = parts
  }

  readonly explainer: AccessExplainer = { explain: (question) => this.#explainer!.explain(question) }

  prepare(next: Resolved): Promise<PreparedAccess> {
    return this.#prepare(() => next)
  }

  async #prepare(nextOf: () => Resolved): Promise<PreparedAccess> {
    const done = await this.#turn()
    const next = nextOf()
    const opened: Link[] = []
    const abandon = (): void => {
      for (const { authenticator } of opened) authenticator.close?.()
      done()
    }
    try {
      const guards = await this.#read(next, opened)
      return {
        commit: () => {
          this.#takeUp(next, guards)
          done()
        },
        abandon,
      }
    } catch (error) {
      abandon()
      throw error
    }
  }

  async reload(): Promise<void> {
    const again = await this.#prepare(() => this.#settings)
    again.commit()
  }

  close(): void {
    for (const chain of this.#chains.values()) chain.close()
  }

  async #turn(): Promise<() => void> {
    const before = this.#last
    let done = (): void => {}
    this.#last = new Promise((resolve) => {
      done = resolve
    })
    await before
    return done
  }

  async #read(next: Resolved, opened: Link[]): Promise<ReadonlyMap<string, Guard>> {
    const { auth, acl, allowAnonymous, listeners } = next.config
    const guards = new Map<string, Guard>()
    const linksAt = async (place: string, own: Auth, path: Path, anonymous: boolean): Promise<Guard['links']> => {
      const { log, plugins } = this.#parts
      const others = plugins?.users
      if (!asksForCredentials(own) && !others) return undefined
      const links = this.#guards.get(place)?.links
      const known = Array.isArray(links) ? links : []
      return linksOf(own, path, anonymous, { settings: next, log, known, opened, others })
    }
    guards.set(all, {
      backOff: auth.backOff,
      links: await linksAt(all, auth, ['auth'], allowAnonymous),
      rules: await this.#rulesOf(acl, ['acl'], next),
    })
    const names = listenerNames(listeners)
    for (const [at, listener] of listeners.entries()) {
      if (!hasOwnAccess(listener)) continue
      const asksAsAll = listener.auth === undefined && listener.allowAnonymous === undefined
      const path = listener.auth === undefined ? ['auth'] : ['listeners', at, 'auth']
      const [name, own, anonymous] = [names[at]!, listener.auth ?? auth, listener.allowAnonymous ?? allowAnonymous]
      guards.set(name, {
        backOff: own.backOff,
        links: asksAsAll ? 'as all' : await linksAt(name, own, path, anonymous),
        rules:
          listener.acl === undefined ? 'as all' : await this.#rulesOf(listener.acl, ['listeners', at, 'acl'], next),
      })
    }
    return guards
  }

  async #rulesOf(own: Acl, path: Path, next: Resolved): Promise<AccessRules | undefined> {
    const warn = (warning: string): void => this.#parts.log.log('warn', warning)
    const rules = await inPlace(next, [...path, 'file'], () => rulesIn(own, path, next, warn))
    return rules && accessRules(rules)
  }

  #takeUp(next: Resolved, guards: ReadonlyMap<string, Guard>): void {
    const chains = new Map<string, AuthenticationChain>()
    for (const [place, guard] of guards) {
      if (typeof guard.links === 'object') chains.set(place, this.#chainAt(place, guard.links, guard.backOff))
    }
    for (const [place, chain] of this.#chains) if (!chains.has(place)) chain.dissolve()
    this.#settings = next
    this.#guards = guards
    this.#chains = chains
    this.#guard(listenerNames(next.config.listeners))
  }

  /** The one that is there goes on with others to ask: it knows who has failed, and whose time will be over. */
  #chainAt(place: string, links: readonly Link[], backOff: Auth['backOff']): AuthenticationChain {
    const { log, disconnect } = this.#parts
    const authenticators = links.map(({ authenticator }) => authenticator)
    const chain = this.#chains.get(place)
    if (!chain)
      return authenticationChain(authenticators, { disconnect, log, ...(backOff && { backOff: said(backOff) }) })
    const isAsBefore = isDeepStrictEqual(backOff, this.#guards.get(place)?.backOff)
    chain.replace(authenticators, isAsBefore ? {} : { backOff: said(backOff ?? {}) })
    return chain
  }

  #guard(names: readonly string[]): void {
    const hooksAt = (place: string, { links, rules }: Guard): ListenerHooks => ({
      chain: links === 'as all' ? this.#chains.get(all) : this.#chains.get(place),
      rules: rules === 'as all' ? common.rules : rules,
    })
    const common: ListenerHooks = hooksAt(all, this.#guards.get(all)!)
    const others = new Map([...this.#guards].map(([name, guard]) => [name, hooksAt(name, guard)] as const))
    others.delete(all)
    this.#explainer = explainerOf(common.rules, new Map([...others].map(([name, { rules }]) => [name, rules])), names)
    // Who comes from the console has shown a token already.
    this.hooks = [hooksByListener(common, others.set(consoleListener, { chain: undefined, rules: undefined }), names)]
    this.#parts.use(this.hooks)
  }
}

/**
 * Without authentication only programs of this machine come in, unless the person who starts it says otherwise.
 * @throws CommandError
 */
export function whoMayCome(
  { listeners, allowAnonymous, auth }: Config,
  plugins?: Pick<PluginAccess, 'authenticates'>,
): BannerFacts['who'] {
  const ways = listeners.map((listener) => ({
    asks: asksForCredentials(listener.auth ?? auth) || plugins?.authenticates === true,
    anonymous: listener.allowAnonymous ?? allowAnonymous,
    isOpen: listener.socket === undefined && !isLoopback(listener.host),
    host: listener.host,
  }))
  const refused = ways.find(({ asks, anonymous, isOpen }) => isOpen && !asks && !anonymous)
  if (refused) {
    throw new CommandError(
      `${refused.host} can be reached by other machines and nobody is asked for a password; configure auth, or add --allow-anonymous to let anyone in`,
    )
  }
  if (ways.some(({ asks, anonymous, isOpen }) => isOpen && (!asks || anonymous))) return 'anyone'
  return ways.every(({ asks, anonymous }) => asks && !anonymous) ? 'authenticated' : 'this machine'
}

/** Whether a listener lets in who shows nothing. */
export function isAnonymous(listener: Config['listeners'][number], { auth, allowAnonymous }: Config): boolean {
  return !asksForCredentials(listener.auth ?? auth) || (listener.allowAnonymous ?? allowAnonymous)
}

function hasOwnAccess({ auth, acl, allowAnonymous }: Config['listeners'][number]): boolean {
  return auth !== undefined || acl !== undefined || allowAnonymous !== undefined
}

function asksForCredentials({ certificate, passwordFile: file, jwt: token, http }: Auth): boolean {
  return (certificate ?? file ?? token ?? http) !== undefined
}

/**
 * The access rules of the configuration, each with the place where it stands; undefined where there are none.
 * @param path of this `acl` in the configuration.
 * @throws CommandError, BrokerError for what is wrong with them.
 */
export function rulesIn(
  { file, rules }: Acl,
  path: Path,
  { origin }: Resolved,
  warn?: (warning: string) => void,
): readonly AccessRule[] | undefined {
  if (file !== undefined) return readAccessRules(file, warn)
  return rules && parseAccessRules(rules, (at) => origin([...path, 'rules', at]))
}
