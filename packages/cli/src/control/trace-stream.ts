import { CommandError } from '../command-error.js'
import type { Answers } from './answers.js'
import type { ControlRequest, Missed, TraceBegun } from './control-protocol.js'
import type { InspectedBroker } from './inspected-broker.js'

/** How long packets are gathered into one write, and how many: beyond, they are only counted. */
const gatherMs = 50
const mostGathered = 1_000

/**
 * Sends the packets of a client or a topic until nobody reads any longer. What comes faster than it is taken is counted.
 * @throws CommandError without client and topic, and what the broker's `trace` rejects with.
 */
export async function streamTrace(
  broker: Pick<InspectedBroker, 'trace'>,
  { client, topic }: Extract<ControlRequest, { request: 'trace' }>,
  answers: Pick<Answers, 'send' | 'whenLeft'>,
): Promise<void> {
  if (client === undefined && topic === undefined) throw new CommandError('a trace needs a client or a topic')
  const which = { ...(client !== undefined && { clientId: client }), ...(topic !== undefined && { topic }) }
  const stream = new TraceStream(answers)
  const tracing = await broker.trace(which, (events, missed) => stream.add(events, missed))
  answers.send({ tracing: true } satisfies TraceBegun)
  answers.whenLeft(() => {
    void tracing.stop()
    stream.close()
  })
}

class TraceStream {
  readonly #answers: Pick<Answers, 'send'>
  readonly #gathered: object[] = []
  /** Missed before what is gathered, and after it. */
  #before = 0
  #after = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(answers: Pick<Answers, 'send'>) {
    this.#answers = answers
  }

  /** @param missed so many after these are not in the trace. */
  add(events: readonly object[], missed: number): void {
    if (this.#isClosed) return
    const taken = this.#after > 0 ? 0 : Math.min(events.length, mostGathered - this.#gathered.length)
    for (let at = 0; at < taken; at++) this.#gathered.push(events[at]!)
    this.#after += events.length - taken + missed
    this.#timer ??= setTimeout(this.#flush, gatherMs).unref()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
  }

  readonly #flush = (): void => {
    this.#timer = undefined
    const events = this.#gathered.splice(0)
    if (this.#answers.send(...missed(this.#before), ...events, ...missed(this.#after))) this.#before = 0
    else this.#before += events.length + this.#after
    this.#after = 0
    if (this.#before > 0) this.#timer = setTimeout(this.#flush, gatherMs).unref()
  }
}

function missed(count: number): readonly Missed[] {
  return count > 0 ? [{ missed: count }] : []
}
