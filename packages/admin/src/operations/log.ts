import { z } from '@hono/zod-openapi'
import { integerParam } from '../listing.js'
import { levels, logLine, shownLine } from '../log-lines.js'
import { operationOfAnyNode } from '../operation.js'

export const getLog = operationOfAnyNode({
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
