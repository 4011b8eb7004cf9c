import { z } from '@hono/zod-openapi'
import { operation } from '../operation.js'
import { Problem } from '../problem.js'
import { qos } from '../values.js'
import { givenProperties, messageProperties } from './payloads.js'

const publication = z
  .strictObject({
    topic: z.string().min(1).max(65_535),
    payload: z
      .string()
      .default('')
      .openapi({ description: 'The payload, as `encoding` says. Default: empty, which removes what is retained.' }),
    encoding: z.enum(['utf8', 'base64']).default('utf8').openapi({ description: 'How `payload` holds the bytes.' }),
    qos: qos.default(0),
    retain: z.boolean().default(false),
    properties: messageProperties.optional().openapi({ description: 'For subscribers of 5.0.' }),
  })
  .openapi('Publication')

/** As much as a packet may have by default, in base64, and what is around it. */
const mostBytes = 4 * 1024 * 1024

export const publish = operation({
  id: 'publish',
  method: 'post',
  path: '/publish',
  tag: 'Act',
  summary: 'Publishes a message',
  description:
    'As the broker itself: no access rule is asked. Answered when the message is as safe as an acknowledgement would say.',
  body: { schema: publication, mostBytes },
  answer: { status: 204, description: 'Published.', schema: z.undefined() },
  problems: [503],
  act: { message: 'published', told: ({ body: { topic, qos: level, retain } }) => ({ topic, qos: level, retain }) },
  async run({ body: { topic, payload, encoding, qos: level, retain, properties } }, { broker }) {
    if (encoding === 'base64' && !z.base64().safeParse(payload).success) {
      throw new Problem('invalid-request', 'body.payload: it is no base64')
    }
    const bytes = Buffer.from(payload, encoding)
    const given = properties && { properties: givenProperties(properties) }
    await broker.publish(topic, bytes, { qos: level as 0 | 1 | 2, retain, ...given })
    return { body: undefined }
  },
})
