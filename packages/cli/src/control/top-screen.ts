import { printed } from '../text-log.js'
import { left, right, shortened } from './columns.js'
import { perSecond, type TopSnapshot } from './top-snapshot.js'

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

/** Rows that are no items of a list: those above the lists, two headings, and the blank row between the lists. */
const otherRows = 9 + 2 + 1
const gap = '   '

/** What `godwit top` shows: one text a row, none wider than the screen, and no more than it has rows. */
export function topScreen(before: TopSnapshot, now: TopSnapshot, { columns, rows }: ScreenSize): string[] {
  const free = Math.max(0, rows - otherRows)
  const upper = Math.min(Math.floor(free / 2), 8, Math.max(1, now.slowest?.length ?? 0, now.deepest?.length ?? 0))
  const screen = [
    ...head(before, now),
    '',
    ...consumers(now, upper, columns),
    '',
    ...topics(now, Math.max(0, free - upper), columns),
  ]
  return screen.slice(0, rows).map((line) => shortened(line, columns).trimEnd())
}

function head(before: TopSnapshot, now: TopSnapshot): string[] {
  const { totals, eventLoopDelayMs: delay } = now
  const rate = perSecond(before, now)
  const line = (name: string, inwards: string, outwards: string, totalIn: string, totalOut: string): string =>
    `${left(name, 10)}${right(inwards, 14)}${right(outwards, 14)}${right(totalIn, 18)}${right(totalOut, 18)}`
  const { messagesIn, messagesOut, bytesIn, bytesOut } = rate
  return [
    `godwit ${now.version}   process ${now.pid}   up ${duration(now.uptimeSeconds)}`,
    `${count(now.clients)} clients, ${count(now.sessions)} sessions, ${count(now.subscriptions)} subscriptions, ` +
      `${count(now.retained)} retained (${bytes(now.retainedBytes)})`,
    `CPU ${Math.round(rate.cpuMs / 10)} %, memory ${bytes(now.memoryBytes)}, ` +
      `event loop late by ${delay.mean.toFixed(1)} ms, at worst ${delay.max.toFixed(0)} ms`,
    '',
    line('', 'in/s', 'out/s', 'in', 'out'),
    line('messages', count(messagesIn), count(messagesOut), count(totals.messagesIn), count(totals.messagesOut)),
    line('bytes', bytes(bytesIn), bytes(bytesOut), bytes(totals.bytesIn), bytes(totals.bytesOut)),
    `${count(totals.dropped)} messages dropped (${count(rate.dropped)}/s), ${count(totals.connects)} connects ` +
      `(${count(rate.connects)}/s), ${count(totals.refused)} refused (${count(rate.refused)}/s)`,
  ]
}

/** Slowest consumers and deepest queues, side by side. */
function consumers({ slowest, deepest }: TopSnapshot, rows: number, columns: number): string[] {
  const half = Math.floor((columns - gap.length) / 2)
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
  return Array.from({ length: rows + 1 }, (_, at) => lists.map((list) => left(list[at] ?? '', half)).join(gap))
}

function topics({ busiest }: TopSnapshot, rows: number, columns: number): string[] {
  const row = (topic: string, messages: string, size: string): string =>
    `${left(topic, columns - 26)}${right(messages, 13)}${right(size, 13)}`
  const list = busiest.map((one) => row(printed(one.topic), count(one.messages), bytes(one.bytes)))
  return [row('BUSIEST TOPICS', 'MESSAGES/S', 'BYTES/S'), ...orNone(list).slice(0, rows)]
}

function orNone(list: readonly string[] | undefined): readonly string[] {
  if (!list) return ['looking …']
  return list.length > 0 ? list : ['none']
}

function count(value: number): string {
  return value > 0 && value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString('en')
}

function bytes(value: number): string {
  const step = Math.min(3, Math.floor(Math.log2(Math.max(value, 1)) / 10))
  return step === 0 ? `${Math.round(value)} B` : `${(value / 1_024 ** step).toFixed(1)} ${['', 'K', 'M', 'G'][step]}iB`
}

function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  const clock = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
  return `${days > 0 ? `${days} d ` : ''}${clock.map((part) => String(part).padStart(2, '0')).join(':')}`
}
