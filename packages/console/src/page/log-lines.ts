import type { LogLine } from './answers.js'

/** So many of what is told are kept: the oldest go. */
export const mostLines = 1_000

/**
 * What was asked for, and behind it what was told since, without what both have: the last lines of the one may be the first of the
 * other.
 */
export function joined(asked: readonly LogLine[], told: readonly LogLine[]): readonly LogLine[] {
  const last = asked.at(-1)
  // Of so many the first have gone: between what was asked for and these there is a hole.
  if (!last || (told.length >= mostLines && told[0]!.at > last.at)) return told
  const known = new Set(asked.map(textOf))
  return [...asked, ...told.filter((line) => line.at >= last.at && !known.has(textOf(line)))]
}

const textOf = ({ at, level, message, fields }: LogLine): string => JSON.stringify([at, level, message, fields])
