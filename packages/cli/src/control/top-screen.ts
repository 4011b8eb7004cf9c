import { printed } from '../text-log.js'
import { wrapped } from '../wrapping.js'
import { left, right, shortened } from './columns.js'
import { bytes, count, counted, duration } from './figures.js'
import { perSecond, type TopSnapshot } from './top-snapshot.js'

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

const gap = '   '
/** Two lists stand side by side from here on; the totals beside the rates from there on. */
const sideBySide = 60
const withTotals = 74

/** What `godwit top` shows: one text a row, none wider than the screen, and no more than it has rows. */
export function topScreen(before: TopSnapshot, now: TopSnapshot, { columns, rows }: ScreenSize): string[] {
  const above = head(before, now, columns)
  const lists = columns >= sideBySide ? 1 : 2
  // Besides items: a heading of each list, and a blank row before each.
  const free = Math.max(0, rows - above.length - 2 * (lists + 1))
  const most = Math.max(1, now.slowest?.length ?? 0, now.deepest?.length ?? 0)
  const upper = Math.min(Math.floor(free / (lists + 1)), 8, most)
  const screen = [
    ...above,
    '',
    ...consumers(now, upper, columns),
    '',
    ...topics(now, Math.max(0, free - lists * upper), columns),
  ]
  return screen.slice(0, rows).map((line) => shortened(line, columns).trimEnd())
}

function head(before: TopSnapshot, now: TopSnapshot, columns: number): string[] {
  const { totals, eventLoopDelayMs: delay } = now
  const rate = perSecond(before, now)
  const line = (name: string, inwards: string, outwards: string, totalIn: string, totalOut: string): string =>
    columns >= withTotals
      ? `${left(name, 10)}${right(inwards, 14)}${right(outwards, 14)}${right(totalIn, 18)}${right(totalOut, 18)}`
      : `${left(name, 10)}${right(inwards, 13)}${right(outwards, 13)}`
  const { messagesIn, messagesOut, bytesIn, bytesOut } = rate
  return [
    `godwit ${now.version}   ${columns >= sideBySide ? `process ${now.pid}   ` : ''}up ${duration(now.uptimeSeconds)}`,
    ...wrapped(
      `${counted(now.clients, 'client')}, ${counted(now.sessions, 'session')}, ` +
        `${counted(now.subscriptions, 'subscription')}, ` +
        `${count(now.retained)} retained (${bytes(now.retainedBytes)})`,
      columns,
    ),
    ...wrapped(
      `CPU ${Math.round(rate.cpuMs / 10)} %, memory ${bytes(now.memoryBytes)}, ` +
        `event loop late by ${delay.mean.toFixed(1)} ms, at worst ${delay.max.toFixed(0)} ms`,
      columns,
    ),
    '',
    line('', 'in/s', 'out/s', 'in', 'out'),
    line('messages', count(messagesIn), count(messagesOut), count(totals.messagesIn), count(totals.messagesOut)),
    line('bytes', bytes(bytesIn), bytes(bytesOut), bytes(totals.bytesIn), bytes(totals.bytesOut)),
    ...wrapped(
      `${counted(totals.dropped, 'message')} dropped (${count(rate.dropped)}/s), ${counted(totals.connects, 'connect')} ` +
        `(${count(rate.connects)}/s), ${count(totals.refused)} refused (${count(rate.refused)}/s)`,
      columns,
    ),
  ]
}

/** Slowest consumers and deepest queues, side by side where there is room. */
function consumers({ slowest, deepest }: TopSnapshot, rows: number, columns: number): string[] {
  const half = columns >= sideBySide ? Math.floor((columns - gap.length) / 2) : columns
  const row = (name: string, figure: string, mark = ''): string =>
    `${left(shortened(name, half - 12 - mark.length) + mark, half - 12)} ${right(figure, 11)}`
  const slow = slowest?.map(({ clientId, outboxBytes }) => row(printed(clientId), bytes(outboxBytes)))
  const deep = deepest?.map(({ clientId, connected, queued }) =>
    row(printed(clientId), count(queued), connected ? '' : ' (offline)'),
  )
  const lists = [
    [row('SLOWEST CONSUMERS', 'UNSENT'), ...orNone(slow)],
    [row('DEEPEST QUEUES', 'MESSAGES'), ...orNone(deep)],
  ]
  if (columns < sideBySide) {
    const [first, second] = lists.map((list) => list.slice(0, rows + 1))
    return [...first!, '', ...second!]
  }
  return Array.from({ length: rows + 1 }, (_, at) => lists.map((list) => left(list[at] ?? '', half)).join(gap))
}

function topics({ busiest }: TopSnapshot, rows: number, columns: number): string[] {
  const figure = columns >= sideBySide ? 13 : 11
  const row = (topic: string, messages: string, size: string): string =>
    `${left(topic, columns - 2 * figure)}${right(messages, figure)}${right(size, figure)}`
  const list = busiest.map((one) => row(printed(one.topic), count(one.messages), bytes(one.bytes)))
  return [row('BUSIEST TOPICS', 'MESSAGES/S', 'BYTES/S'), ...orNone(list).slice(0, rows)]
}

function orNone(list: readonly string[] | undefined): readonly string[] {
  if (!list) return ['looking …']
  return list.length > 0 ? list : ['none']
}
