import { type LogFields, type Logger, QuietLines, silentLogger } from './log.js'

/** Whoever something is done for. When that fails, what it is ends, and nobody else feels it. */
export interface Owner {
  /** The Client Identifier; empty or `undefined` where there is none (yet). */
  readonly clientId: string | undefined
  /** What was done for it has failed, and has been told: it ends, if there is anything to end. May be called again. */
  onFault(): void
}

/**
 * The boundary around each session, connection and subscriber: whoever calls into one from outside (a commit, a timer, the
 * end of a turn, a publication) catches what it throws and gives it here. It is counted and told, and its owner ends:
 * neither the caller nor others who wait for the same commit, timer or message feel it.
 */
export class Faults {
  readonly #count: { internalErrors: number }
  readonly #log: Logger
  readonly #lines: QuietLines

  /**
   * @param count Default: nobody reads it.
   * @param log Default: nothing is told.
   * @param after runs a callback later, for what is told together. Default: that is not told.
   */
  constructor(
    count: { internalErrors: number } = { internalErrors: 0 },
    log: Logger = silentLogger,
    after: (ms: number, callback: () => void) => void = () => {},
  ) {
    this.#count = count
    this.#log = log
    this.#lines = new QuietLines(log, after)
  }

  /**
   * @param owner for whom it was done; `undefined`: for nobody in particular.
   * @param doing in words: `delivering a message`.
   */
  contain(error: unknown, owner: Owner | undefined, doing: string): void {
    this.#tell(error, owner?.clientId, doing)
    if (!owner) return
    try {
      owner.onFault()
    } catch (next) {
      this.#tell(next, owner.clientId, `ending it after a failure in ${doing}`)
    }
  }

  /** A hook of the embedding program has failed: the broker goes on. */
  ofHook(error: unknown, what: string, clientId: string): void {
    this.#count.internalErrors++
    this.#log.log('error', what, { clientId, error: String(error) })
  }

  /** A listener of the embedding program has failed, as it may with every message: the broker goes on. */
  ofListener(error: unknown, what: string, clientId?: string): void {
    this.#report(error, what, what, { clientId: clientId || undefined }, what)
  }

  #tell(error: unknown, clientId: string | undefined, doing: string): void {
    const kind = `${doing} ${clientId}`
    this.#report(
      error,
      'internal error',
      'internal errors',
      { clientId: clientId || undefined, doing },
      kind,
      placeOf(error),
    )
  }

  #report(error: unknown, one: string, many: string, common: LogFields, kind: string, at?: string): void {
    this.#count.internalErrors++
    const fields = { ...common, error: String(error), ...(at !== undefined && { at }) }
    this.#lines.tell({ level: 'error', kind, one, many, fields, common })
  }
}

/** The innermost line of the stack, on which a report of the error can begin. */
function placeOf(error: unknown): string | undefined {
  const stack = error instanceof Error ? error.stack : undefined
  return stack
    ?.split('\n')
    .find((line) => /^\s+at /.test(line))
    ?.trim()
    .slice(3)
}
