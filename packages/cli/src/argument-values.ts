import type { QoS } from '@godwit/protocol'
import { isTopicFilter, isTopicName } from '@godwit/protocol'
import { InvalidArgumentError } from 'commander'

/**
 * Readers of option values. Each takes the text as typed and gives the value.
 * @throws InvalidArgumentError saying what the option takes; commander puts the option's name before it.
 */
export type ValueReader<T> = ((text: string) => T) & {
  /** All that it takes, where those are a few words: for completion. */
  readonly words?: readonly string[]
}

/** A whole number within bounds. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): ValueReader<number> {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (value >= least && value <= most) return value
    const range = most === Number.MAX_SAFE_INTEGER ? `of ${least} or more` : `from ${least} to ${most}`
    throw new InvalidArgumentError(`it takes a whole number ${range}.`)
  }
}

/** Seconds, with or without a fraction. */
export function seconds(text: string): number {
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN
  if (value <= 2_000_000) return value // the longest timer Node has is about 2,147,483 seconds
  throw new InvalidArgumentError('it takes seconds, such as 2 or 0.5.')
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/** A size in bytes: `1048576`, `64KB`, `1.5GiB`. Undefined when it is none. */
export function bytesOf(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? []
  const factor = units[unit?.toLowerCase() ?? '']
  const value = Math.round(Number(amount) * (factor ?? Number.NaN))
  return Number.isSafeInteger(value) ? value : undefined
}

/** {@link bytesOf} for an option that takes at least one byte. */
export function size(text: string): number {
  const value = bytesOf(text)
  if (value !== undefined && value > 0) return value
  throw new InvalidArgumentError('it takes a size above 0, such as 1048576, 64KB or 512MiB.')
}

/**
 * When the broker acknowledges. Of a folder whose writes are not flushed in order LMDB cannot promise that it opens after a
 * power cut, so there is one answer.
 */
export function commitMode(text: string): 'flushed' {
  if (text === 'flushed') return text
  throw new InvalidArgumentError(
    'it takes "flushed"; "written" is not offered: after a power cut its folder might not open.',
  )
}

/** One of several words. */
export function oneOf<const T extends string>(words: readonly T[]): ValueReader<T> {
  const read = (text: string): T => {
    const word = words.find((candidate) => candidate === text)
    if (word !== undefined) return word
    throw new InvalidArgumentError(`it takes ${words.join(', ')}.`)
  }
  return Object.assign(read, { words })
}

export const qos: ValueReader<QoS> = Object.assign(
  (text: string): QoS => {
    if (text === '0' || text === '1' || text === '2') return Number(text) as QoS
    throw new InvalidArgumentError('it takes 0, 1 or 2.')
  },
  { words: ['0', '1', '2'] },
)

export function topicName(text: string): string {
  if (isTopicName(text)) return text
  throw new InvalidArgumentError('it takes a topic name: not empty, and without the wildcards + and #.')
}

export function topicFilter(text: string): string {
  if (isTopicFilter(text)) return text
  throw new InvalidArgumentError(
    'it takes a topic filter: + stands for a whole level, # for all that follow, at the end.',
  )
}

/** For options that may be repeated. */
export function collect<T>(read: ValueReader<T>): (text: string, before: readonly T[] | undefined) => readonly T[] {
  return (text, before = []) => [...before, read(text)]
}
