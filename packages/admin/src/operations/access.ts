import { z } from '@hono/zod-openapi'
import { operation } from '../operation.js'
import { orNull } from '../values.js'
import { plainRule, shownRule } from './rules.js'

const text = z.string().max(65_535)

const question = z
  .strictObject({
    action: z.enum(['publish', 'subscribe', 'receive']),
    topic: text.min(1).openapi({ description: 'The Topic Name; for `subscribe` the Topic Filter.' }),
    username: text.optional().openapi({ description: 'Default: a client without a user name.' }),
    clientId: text.optional().openapi({ description: 'Default: empty.' }),
    claims: z
      .record(z.string(), z.unknown())
      .optional()
      .openapi({ description: 'Of its token, for rules that name a claim.' }),
    listener: text
      .optional()
      .openapi({ description: 'The listener it comes to, where listeners have rules of their own.' }),
  })
  .openapi('AccessQuestion')

export const explainAccess = operation({
  id: 'explainAccess',
  method: 'post',
  path: '/access/explain',
  tag: 'Access',
  summary: 'May somebody do something, and which rule says so',
  needs: 'access',
  body: { schema: question },
  answer: {
    description: 'The decision, and the rule that makes it.',
    schema: z
      .strictObject({
        allowed: z.boolean(),
        rule: orNull(shownRule).openapi({ description: 'null: no rule decides, and the answer is the default.' }),
        why: z.string().nullable().openapi({ description: 'In words, where no rule says it.' }),
      })
      .openapi('AccessAnswer'),
  },
  async run({ body }, { parts }) {
    const { allowed, rule, why } = await parts.access.explain(body)
    return { body: { allowed, rule: rule ? plainRule(rule) : null, why: why ?? null } }
  },
})
