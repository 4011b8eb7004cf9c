import type { Changes } from '../changes.js'
import type { Faults } from '../faults.js'
import { type MaybeAsync, whenReady } from '../maybe-async.js'
import type { Admission, ClientInfo, Identity } from './client-info.js'
import type { AuthenticationExchange } from './extended-authentication.js'
import type { AuthenticateRequest, AuthorizeRequest, Hooks, PublishedMessage } from './hooks.js'

/** What a hook is asked or told, and about whom. */
interface Asked {
  readonly what: string
  readonly clientId: string
}

/** Asks the hooks in their order, and tells who has come and gone. What nobody implements costs nothing. */
export class HookRunner {
  #authenticate: readonly Hooks[] = []
  #authorize: readonly Hooks[] = []
  #authorizeDelivery: readonly Hooks[] = []
  #onPublish: readonly Hooks[] = []
  #all: readonly Hooks[] = []
  readonly #faults: Faults
  readonly #changes: Changes

  constructor(hooks: readonly Hooks[], faults: Faults, changes: Changes) {
    this.#faults = faults
    this.#changes = changes
    this.replace(hooks)
  }

  /** From here on these are asked and told; who is being asked already gives its answer. */
  replace(hooks: readonly Hooks[]): void {
    this.#all = hooks
    this.#authenticate = hooks.filter((hook) => hook.authenticate)
    this.#authorize = hooks.filter((hook) => hook.authorize)
    this.#authorizeDelivery = hooks.filter((hook) => hook.authorizeDelivery)
    this.#onPublish = hooks.filter((hook) => hook.onPublish)
  }

  /** Whether anybody decides on publishing, or looks at it: the way of a PUBLISH is shorter where nobody does. */
  get watchesPublish(): boolean {
    return this.#authorize.length > 0 || this.#onPublish.length > 0
  }

  /** Whether anybody decides on deliveries. */
  get watchesDelivery(): boolean {
    return this.#authorizeDelivery.length > 0
  }

  /** Whether anybody shows who clients are. */
  get authenticates(): boolean {
    return hooksAuthenticate(this.#all)
  }

  /** Whether anybody decides on a CONNECT. */
  get asksWho(): boolean {
    return this.#authenticate.length > 0
  }

  authenticate(request: AuthenticateRequest): MaybeAsync<Admission> {
    let known = request
    const ask = (hook: Hooks): MaybeAsync<Admission> =>
      whenReady(promised(hook.authenticate!(known)), (answer) => {
        if (typeof answer !== 'object' || !('admittedAs' in answer)) return answer
        known = { ...known, ...shownToBe(known, answer.admittedAs) }
        return true
      })
    const asked = { what: 'authenticate', clientId: request.clientId }
    return whenReady(this.#each<Admission>(this.#authenticate, ask, 'unavailable', asked), (answer) =>
      answer === true && known.identity ? { admittedAs: known.identity } : answer,
    )
  }

  /** The exchange of an Authentication Method; `undefined` when nobody offers it. */
  beginExchange(method: string): AuthenticationExchange | undefined {
    for (const { authenticationMethods } of this.#all) {
      if (authenticationMethods && Object.hasOwn(authenticationMethods, method)) return authenticationMethods[method]!()
    }
    return undefined
  }

  authorize(request: AuthorizeRequest): MaybeAsync<boolean> {
    // Only `true` is a yes: what a hook in plain JavaScript answers by mistake must not open a door.
    const ask = (hook: Hooks): MaybeAsync<boolean> =>
      whenReady(promised(hook.authorize!(request)), (yes) => yes === true)
    return this.#each<boolean>(this.#authorize, ask, false, { what: 'authorize', clientId: request.client.clientId })
  }

  /** Decides on what is about to be sent to this client; `undefined` when no hook does, so that nothing is asked. */
  deliveriesTo(client: ClientInfo): ((topic: string) => boolean) | undefined {
    if (!this.watchesDelivery) return undefined
    return (topic) =>
      this.#authorizeDelivery.every((hook) => {
        try {
          return hook.authorizeDelivery!(topic, client) === true
        } catch (error) {
          this.#failed(hook, { what: 'authorizeDelivery', clientId: client.clientId }, error)
          return false
        }
      })
  }

  /** Whether anybody looks at what is published. */
  get seesMessages(): boolean {
    return this.#onPublish.length > 0
  }

  /** True: go on. False: a hook failed. */
  publish(message: PublishedMessage, client: ClientInfo): MaybeAsync<boolean> {
    return this.#each<boolean>(
      this.#onPublish,
      (hook) => whenReady(promised(hook.onPublish!(message, client)), () => true),
      false,
      { what: 'onPublish', clientId: client.clientId },
    )
  }

  connected(client: ClientInfo): void {
    if (this.#changes.isWatched) this.#changes.tell({ type: 'client-connected', clientId: client.clientId })
    this.#tell({ what: 'onConnect', clientId: client.clientId }, (hook) => hook.onConnect?.(client))
  }

  disconnected(client: ClientInfo, reason: string): void {
    if (this.#changes.isWatched) this.#changes.tell({ type: 'client-gone', clientId: client.clientId })
    this.#tell({ what: 'onDisconnect', clientId: client.clientId }, (hook) => hook.onDisconnect?.(client, reason))
  }

  /** Asks one after another until one does not answer `true`. */
  #each<T>(
    hooks: readonly Hooks[],
    ask: (hook: Hooks) => MaybeAsync<T | true>,
    onFailure: T,
    asked: Asked,
  ): MaybeAsync<T | true> {
    const from = (at: number): MaybeAsync<T | true> => {
      const hook = hooks[at]
      if (!hook) return true
      return whenReady(this.#guarded(hook, ask, onFailure, asked), (answer) =>
        answer === true ? from(at + 1) : answer,
      )
    }
    return hooks.length === 0 ? true : from(0)
  }

  #guarded<T>(
    hook: Hooks,
    ask: (hook: Hooks) => MaybeAsync<T | true>,
    onFailure: T,
    asked: Asked,
  ): MaybeAsync<T | true> {
    const failed = (error: unknown): T => {
      this.#failed(hook, asked, error)
      return onFailure
    }
    try {
      const answer = ask(hook)
      return answer instanceof Promise ? answer.catch(failed) : answer
    } catch (error) {
      return failed(error)
    }
  }

  #tell(asked: Asked, call: (hook: Hooks) => unknown): void {
    for (const hook of this.#all) {
      const failed = (error: unknown): void => this.#failed(hook, asked, error)
      try {
        const answer = promised(call(hook))
        if (answer instanceof Promise) answer.catch(failed) // nobody waits, but nothing escapes to the process
      } catch (error) {
        failed(error)
      }
    }
  }

  #failed(hook: Hooks, { what, clientId }: Asked, error: unknown): void {
    this.#faults.ofHook(error, `hook ${hook.name ?? 'without a name'} failed in ${what}`, clientId)
  }
}

export function hooksAuthenticate(hooks: readonly Hooks[]): boolean {
  return hooks.some(({ authenticate, authenticationMethods }) => authenticate ?? authenticationMethods)
}

/** What changes of a client when it has shown who it is. */
export function shownToBe(
  { username, identity }: ClientInfo,
  more: Identity,
): Pick<ClientInfo, 'username' | 'identity'> {
  return { username: more.username ?? username, identity: { ...identity, ...more } }
}

/** A promise of another library is a promise too. */
function promised<T>(answer: MaybeAsync<T>): MaybeAsync<T> {
  const isThenable = typeof (answer as { then?: unknown } | null | undefined)?.then === 'function'
  return isThenable && !(answer instanceof Promise) ? Promise.resolve(answer) : answer
}
