import { z } from '@hono/zod-openapi'
import { operation } from '../operation.js'
import { seriesNames } from '../series/reading.js'

const values = z.array(z.number().nullable())

const history = z
  .strictObject({
    stepSeconds: z.int().positive(),
    times: z.array(z.int()).openapi({ description: 'When each step ended, in seconds since 1970.' }),
    series: z.strictObject(Object.fromEntries(seriesNames.map((name) => [name, values]))),
  })
  .openapi('History', {
    description:
      'The oldest first. Counters are rates a second, latencies what 99 of 100 do not exceed; null: there was none.',
  })

export const getHistory = operation({
  id: 'getHistory',
  method: 'get',
  path: '/history',
  tag: 'Look',
  summary: 'The main series of the last hour or day',
  query: z.strictObject({
    span: z.enum(['hour', 'day']).openapi({ description: '`hour` in steps of ten seconds, `day` in minutes.' }),
  }),
  answer: { description: 'As long as the API runs, and no longer than that.', schema: history },
  run({ query: { span } }, { history: kept }) {
    const { stepSeconds, times, series } = kept.view(span)
    return { body: { stepSeconds, times: [...times], series: series as never } }
  },
})
