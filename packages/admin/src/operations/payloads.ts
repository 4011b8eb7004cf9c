import type { LocalProperties, Page, PageOptions } from '@godwit/broker'
import { z } from '@hono/zod-openapi'
import { flagParam, type Listing } from '../listing.js'
import { Problem } from '../problem.js'
import { leastRoleWithin, mayAs } from '../roles.js'
import type { Credential } from '../tokens.js'
import { orNull, qos, time, timeOf } from '../values.js'

/** Whether payloads are shown, where who asks may see them. */
export const payloadsParam = flagParam('Show the payloads too. Default false.').optional()

/** @throws Problem `forbidden`, where payloads are asked for by who may not see them. */
export function mayShowPayload(asked: boolean, who: Credential | undefined): void {
  if (!asked || (who && mayAs(who.role, leastRoleWithin.payloads))) return
  throw new Problem('forbidden', `payloads need the role ${leastRoleWithin.payloads}`)
}

/** A message as a list holds it: its payload only where that is shown. */
export type Light<T extends { readonly payload: Buffer }> = Omit<T, 'payload'> & { readonly payload?: string }

/** Messages page by page, without the payloads, or with them in base64. */
export function lightPages<T extends { readonly payload: Buffer }>(
  page: (options: PageOptions) => Promise<Page<T>>,
  payloads: boolean,
): Pick<Listing<Light<T>>, 'page' | 'bytes'> {
  return {
    async page(options) {
      const { items, next } = await page(options)
      return { items: items.map((item) => light(item, payloads)), next }
    },
    bytes: ({ payload = '' }) => payload.length,
  }
}

export function light<T extends { readonly payload: Buffer }>({ payload, ...rest }: T, isShown: boolean): Light<T> {
  return isShown ? { ...rest, payload: payload.toString('base64') } : rest
}

const text = z.string().max(65_535)

/** The properties of a message that are its own (5.0, section 3.3.2.3). */
export const messageProperties = z
  .strictObject({
    payloadFormatIndicator: z.literal([0, 1]).openapi({ type: 'integer', description: '1: the payload is UTF-8.' }),
    messageExpiryInterval: z.int().min(0).max(0xffff_ffff).openapi({ description: 'In seconds.' }),
    contentType: text,
    responseTopic: text,
    correlationData: z.base64().max(90_000).openapi({ description: 'In base64.' }),
    userProperties: z
      .array(z.tuple([text, text]))
      .max(1_000)
      .openapi({
        type: 'array',
        items: { type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 2 },
      }),
  })
  .partial()
  .openapi('MessageProperties')

const properties = orNull(messageProperties).openapi({ description: 'Those of 5.0; null: it has none.' })

/** What is shown of a message that is kept. Of its payload its size, and where it was asked for and may be, itself. */
export const messageFields = {
  topic: z.string(),
  qos,
  payloadBytes: z.int().nonnegative(),
  payload: z.base64().optional().openapi({ description: 'In base64. Left out where it was not asked for.' }),
  properties,
  publisher: z.string().openapi({ description: 'Its Client Identifier; empty: the broker, or a program around it.' }),
  expiresAt: time.nullable(),
}

interface Kept {
  readonly properties: LocalProperties | undefined
  readonly expiresAt: number
}

/** A message of the broker's, as these fields have it. */
export function shownMessage<T extends Kept>(
  view: T,
): Omit<T, keyof Kept> & { readonly properties: z.infer<typeof properties>; readonly expiresAt: string | null } {
  return { ...view, properties: propertiesOf(view.properties), expiresAt: timeOf(view.expiresAt) }
}

function propertiesOf(given: LocalProperties | undefined): z.infer<typeof properties> {
  if (!given) return null
  const { correlationData, userProperties, payloadFormatIndicator, ...rest } = given
  return {
    ...rest,
    ...(payloadFormatIndicator !== undefined && { payloadFormatIndicator: Number(payloadFormatIndicator) as 0 | 1 }),
    ...(correlationData && { correlationData: Buffer.from(correlationData).toString('base64') }),
    ...(userProperties && { userProperties: userProperties.map(([name, value]) => [name, value]) }),
  }
}

/** As the broker takes them. */
export function givenProperties(given: z.infer<typeof messageProperties>): LocalProperties {
  const { correlationData, ...rest } = given
  const bytes = correlationData === undefined ? undefined : new Uint8Array(Buffer.from(correlationData, 'base64'))
  return { ...rest, ...(bytes && { correlationData: bytes }) } as LocalProperties
}
