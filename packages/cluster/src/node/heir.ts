import type { Clock } from '@godwit/broker'
import { type LogServer, LogSilent, type NodeNote } from '../log/log-server.js'
import type { LogWriter } from '../log/log-writer.js'
import { pause } from '../pause.js'
import { othersIn } from './housekeeping.js'

interface HeirParts {
  readonly server: LogServer
  readonly clock: Clock
  /** The name of the node that lets go. */
  readonly node: string
  readonly writer: LogWriter
  /** Called once when it takes longer: there are others, and none has all there is. */
  readonly onWait: () => void
}

/** How often it is looked what the others have told, and for how long, in ms. */
const lookEveryMs = 50
const patienceMs = 10_000
/** A node that has told nothing so long after it was asked is not there, in ms. */
const answerMs = 2_000
const tellAfterMs = 1_000
/** So long it is waited for nodes that nobody has heard of: one that has just begun to follow tells of itself when it is asked. In ms. */
const unheardOfMs = 300

/**
 * Finds a node that has all there is and takes over by itself: the owner asks all who follow, and they tell where people look too.
 * @returns its name; `undefined`: there is none, or none has come so far in time.
 * @throws Fenced
 */
export async function findHeir({ server, clock, node, writer, onWait }: HeirParts): Promise<string | undefined> {
  const before = new Map((await notesOf(server)).map(({ node: name, at }) => [name, at]))
  const { sequence, epoch } = await writer.ask()
  const began = clock.monotonic()
  let hasTold = false
  for (;;) {
    const notes = await notesOf(server)
    const others = othersIn(notes, { node, at: clock.now() }).filter((one) => one.role === 'following' && !one.frozen)
    const ready = others.filter((one) => one.applied >= sequence && one.epoch === epoch && one.problem === undefined)
    const heir = ready.find(({ preferred }) => preferred) ?? ready[0]
    if (heir) return heir.node
    const waitedMs = clock.monotonic() - began
    const isAnswered = others.some((one) => one.at !== before.get(one.node))
    if (waitedMs > (others.length === 0 ? unheardOfMs : isAnswered ? patienceMs : answerMs)) return undefined
    if (waitedMs > tellAfterMs && !hasTold) {
      hasTold = true
      onWait()
    }
    await pause(clock, lookEveryMs)
  }
}

async function notesOf(server: LogServer): Promise<readonly NodeNote[]> {
  try {
    return await server.notes()
  } catch (error) {
    if (error instanceof LogSilent) return []
    throw error
  }
}
