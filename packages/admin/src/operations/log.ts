import { z } from '@hono/zod-openapi'
import { integerParam } from '../listing.js'
import { operation } from '../operation.js'
import type { LogLine } from '../parts.js'
import { time, timeOf } from './values.js'

const levels = ['debug', 'info', 'warn', 'error'] as const

export const logLine = z
  .strictObject({
    at: time,
    level: z.enum(levels),
    message: z.string(),
    fields: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .openapi('LogLine')

export function shownLine({ at, level, message, fields }: LogLine): z.infer<typeof logLine> {
  const said = Object.entries(fields).filter(
    (entry): entry is [string, string | number | boolean] => entry[1] !== undefined,
  )
  return { at: timeOf(at)!, level, message, fields: Object.fromEntries(said) }
}

export const getLog = operation({
  id: 'getLog',
  method: 'get',
  path: '/log',
  tag: 'Look',
  summary: 'The last lines of the log',
  needs: 'log',
  query: z.strictObject({
    count: integerParam(1, 1_000, 'So many lines at most. Default 100.').optional(),
    level: z.enum(levels).optional().openapi({ description: 'The least to show. Default debug.' }),
  }),
  answer: { description: 'The oldest first.', schema: z.strictObject({ lines: z.array(logLine) }).openapi('Log') },
  run({ query: { count = 100, level = 'debug' } }, { parts }) {
    const rank = levels.indexOf(level)
    const lines = parts.log.last(1_000).filter((line) => levels.indexOf(line.level) >= rank)
    return { body: { lines: lines.slice(-count).map(shownLine) } }
  },
})
