import { nearest } from '@godwit/protocol'
import { InvalidArgumentError } from 'commander'
import type { Row } from './wrapping.js'

/** Makes a message; the first is number 1. */
export type MessageTemplate = (number: number) => string

/** A word between `{{` and `}}`, and what its arguments are. */
interface Word {
  readonly form: string
  readonly meaning: string
  /** Undefined: these arguments are none for it. */
  readonly read: (args: readonly string[]) => MessageTemplate | undefined
}

const words: Readonly<Record<string, Word>> = {
  random: {
    form: '{{random LEAST MOST [DECIMALS]}}',
    meaning: 'a number, with two decimals unless you say how many',
    read: ([least, most, decimals = '2', ...more]) => {
      const [from, to, places] = [Number(least), Number(most), Number(decimals)]
      const isRight = more.length === 0 && from <= to && Number.isInteger(places) && places >= 0 && places <= 15
      return isRight ? () => (from + Math.random() * (to - from)).toFixed(places) : undefined
    },
  },
  int: {
    form: '{{int LEAST MOST}}',
    meaning: 'a whole number',
    read: ([least, most, ...more]) => {
      const [from, to] = [Number(least), Number(most)]
      const isRight = more.length === 0 && Number.isSafeInteger(from) && Number.isSafeInteger(to) && from <= to
      return isRight && to - from < 2 ** 47 ? () => String(randomInt(from, to)) : undefined
    },
  },
  wave: {
    form: '{{wave LEAST MOST SECONDS}}',
    meaning: 'a number that rises and falls, once in so many seconds',
    read: ([least, most, period, ...more]) => {
      const [from, to, seconds] = [Number(least), Number(most), Number(period)]
      if (more.length > 0 || !(from <= to) || !(seconds > 0)) return undefined
      return () => (from + ((1 - Math.cos((performance.now() / 500 / seconds) * Math.PI)) / 2) * (to - from)).toFixed(2)
    },
  },
  choice: {
    form: '{{choice WORD WORD …}}',
    meaning: 'one of the words',
    read: (args) => (args.length > 0 ? () => args[randomInt(0, args.length - 1)]! : undefined),
  },
  n: { form: '{{n}}', meaning: 'the number of the message, from 1', read: alone((number) => String(number)) },
  now: { form: '{{now}}', meaning: 'the time, as ISO 8601', read: alone(() => new Date().toISOString()) },
  unix: {
    form: '{{unix}}',
    meaning: 'the time, in seconds since 1970',
    read: alone(() => String(Math.floor(Date.now() / 1000))),
  },
  uuid: { form: '{{uuid}}', meaning: 'a random UUID', read: alone(() => crypto.randomUUID()) },
}

/** For --help. */
export const templateWords: readonly Row[] = Object.values(words).map(({ form, meaning }) => [form, meaning])

/** @throws InvalidArgumentError saying what may stand between {{ and }}. */
export function messageTemplate(text: string): MessageTemplate {
  const pieces = text.split(/\{\{(.*?)\}\}/s).map((piece, at) => (at % 2 === 0 ? () => piece : wordIn(piece)))
  return (number) => pieces.map((piece) => piece(number)).join('')
}

function wordIn(text: string): MessageTemplate {
  const [name = '', ...args] = text.trim().split(/\s+/)
  const word = Object.hasOwn(words, name) ? words[name] : undefined
  if (word === undefined) {
    const meant = nearest(name, Object.keys(words))
    const hint = meant === undefined ? `it takes ${Object.keys(words).join(', ')}` : `did you mean {{${meant}}}?`
    throw new InvalidArgumentError(`there is no {{${name}}}; ${hint}`)
  }
  const made = word.read(args)
  if (made === undefined) throw new InvalidArgumentError(`{{${text}}} is not ${word.form}: ${word.meaning}.`)
  return made
}

/** For demonstrations, not for secrets. */
function randomInt(least: number, most: number): number {
  return least + Math.floor(Math.random() * (most - least + 1))
}

function alone(make: MessageTemplate): Word['read'] {
  return (args) => (args.length === 0 ? make : undefined)
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** A time such as `500ms`, `1s`, `2m` or `1h`; a number alone is seconds. In milliseconds. */
export function interval(text: string): number {
  const [, amount, unit = 's'] = /^(\d+\.?\d*|\.\d+)(ms|s|m|h)?$/.exec(text) ?? []
  const value = Number(amount) * (units[unit] ?? Number.NaN)
  if (value >= 1 && value <= 2_000_000_000) return value
  throw new InvalidArgumentError('it takes a time such as 500ms, 1s, 2m or 1h.')
}
