import { z } from '@hono/zod-openapi'
import type { LogLine } from './parts.js'
import { time, timeOf } from './values.js'

export const levels = ['debug', 'info', 'warn', 'error'] as const

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
