import type { AccessRule } from '@godwit/broker/access'
import { z } from '@hono/zod-openapi'
import { integerParam } from '../listing.js'
import { operation } from '../operation.js'
import type { Rule } from '../parts.js'
import { quoted } from '../problem.js'
import { count } from '../values.js'

const text = z.string().min(1).max(65_535)
const action = z.enum(['publish', 'subscribe', 'receive'])
const actions = z.union([action, z.array(action).min(1).max(3)])
const names = z.union([text, z.array(text).min(1).max(10_000)])

const ruleFields = {
  allow: actions.optional().openapi({ description: 'What it allows; a rule has either this or `deny`.' }),
  deny: actions.optional().openapi({ description: 'What it denies.' }),
  filter: text.openapi({
    description: 'A Topic Filter, in which the variables of access rules stand for the client’s own.',
  }),
  user: names.optional().openapi({ description: 'The users it is for. Default: everybody.' }),
  client: names.optional().openapi({ description: 'The Client Identifiers it is for. Default: all.' }),
  anonymous: z.boolean().optional().openapi({ description: 'True: only for clients without a user name.' }),
  matching: z.enum(['within', 'wildcard', 'exact']).optional(),
}

/** A rule as it is given; what it may be is checked by the part that takes it. */
const rule = z.strictObject(ruleFields).openapi('Rule', { description: 'An access rule, as the configuration has it.' })

export const shownRule = z
  .strictObject({ ...ruleFields, where: z.string().optional().openapi({ description: 'Where it stands.' }) })
  .openapi('PlacedRule')

/** Without what is not said. */
export const plainRule = (given: AccessRule | z.infer<typeof rule>): never =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never

const mostBytes = 1024 * 1024
const at = integerParam(0, 1_000_000, 'Its place in the list, from 0.')
const placed = z.strictObject({ at: count }).openapi('RulePlace')
const inForce = 'Written to the rules file at once, and in force when this is answered; the version before is kept.'

export const listRules = operation({
  id: 'listRules',
  method: 'get',
  path: '/rules',
  tag: 'Access',
  summary: 'The access rules, of which the first that applies decides',
  needs: 'rules',
  answer: {
    description: 'In their order; ETag is for edits.',
    schema: z.strictObject({ rules: z.array(shownRule) }).openapi('Rules'),
    hasEtag: true,
  },
  problems: [409],
  async run(_, { parts }) {
    const { etag, rules } = await parts.rules.list()
    return { body: { rules: rules.map(plainRule) }, headers: { etag: quoted(etag) } }
  },
})

export const replaceRules = operation({
  id: 'replaceRules',
  method: 'put',
  path: '/rules',
  tag: 'Access',
  summary: 'Puts other rules in the place of all',
  description: inForce,
  needs: 'rules',
  ifMatch: 'may',
  body: { schema: z.strictObject({ rules: z.array(rule).max(10_000) }).openapi('NewRules'), mostBytes },
  answer: {
    description: 'So many there are now.',
    schema: z.strictObject({ rules: count }).openapi('RulesReplaced'),
    hasEtag: true,
  },
  act: { message: 'access rules replaced', told: ({ body: { rules } }) => ({ rules: rules.length }) },
  async run({ body: { rules }, etag }, { parts }) {
    const { etag: now } = await parts.rules.replace(rules.map(plainRule), { etag })
    return { body: { rules: rules.length }, headers: { etag: quoted(now) } }
  },
})

export const addRule = operation({
  id: 'addRule',
  method: 'post',
  path: '/rules',
  tag: 'Access',
  summary: 'Adds a rule',
  description: inForce,
  needs: 'rules',
  query: z.strictObject({
    at: integerParam(0, 1_000_000, 'Its place in the list, from 0. Default: the last.').optional(),
  }),
  ifMatch: 'may',
  body: { schema: rule, mostBytes },
  answer: { status: 201, description: 'Where it stands.', schema: placed, hasEtag: true },
  act: { message: 'access rule added', told: ({ body }) => told(body) },
  async run({ query, body, etag }, { parts }) {
    const { at: place, etag: now } = await parts.rules.add(plainRule(body), { etag, at: query.at })
    return { body: { at: place }, headers: { etag: quoted(now) } }
  },
})

export const changeRule = operation({
  id: 'changeRule',
  method: 'put',
  path: '/rule',
  tag: 'Access',
  summary: 'Puts another rule in the place of one',
  description: inForce,
  needs: 'rules',
  query: z.strictObject({ at }),
  ifMatch: 'must',
  body: { schema: rule, mostBytes },
  answer: { description: 'Where it stands.', schema: placed, hasEtag: true },
  problems: [404],
  act: { message: 'access rule changed', told: ({ query, body }) => ({ at: query.at, ...told(body) }) },
  async run({ query, body, etag }, { parts }) {
    const { etag: now, at: place } = await parts.rules.change(query.at, plainRule(body), { etag })
    return { body: { at: place }, headers: { etag: quoted(now) } }
  },
})

export const removeRule = operation({
  id: 'removeRule',
  method: 'delete',
  path: '/rule',
  tag: 'Access',
  summary: 'Removes a rule',
  description: inForce,
  needs: 'rules',
  query: z.strictObject({ at }),
  ifMatch: 'must',
  answer: { status: 204, description: 'Removed.', schema: z.undefined(), hasEtag: true },
  problems: [404],
  act: { message: 'access rule removed', told: ({ query }) => ({ at: query.at }) },
  async run({ query, etag }, { parts }) {
    const { etag: now } = await parts.rules.remove(query.at, { etag })
    return { body: undefined, headers: { etag: quoted(now) } }
  },
})

/** A rule in the log, in one line. */
function told(given: z.infer<typeof rule>): { readonly rule: string } {
  return { rule: JSON.stringify(plainRule(given) as Rule).slice(0, 1_000) }
}
