import { z } from '@hono/zod-openapi'
import { setCookie } from '../guards/cookie.js'
import { operationOfAnyNode } from '../operation.js'
import { Problem } from '../problem.js'
import { roles } from '../roles.js'
import type { Credential } from '../tokens.js'
import { time, timeOf } from '../values.js'

const self = z
  .strictObject({
    name: z.string(),
    role: z.enum(roles as [string, ...string[]]),
    expiresAt: time.nullable().openapi({ description: 'When this ends; null: when the token is revoked.' }),
  })
  .openapi('Self', { description: 'Who asks.' })

const selfOf = ({ name, role, expiresAt }: Credential, endsAt = expiresAt) => ({
  name,
  role,
  expiresAt: timeOf(endsAt),
})

export const getSelf = operationOfAnyNode({
  id: 'getSelf',
  method: 'get',
  path: '/self',
  tag: 'Log in',
  summary: 'Who asks: name and role of the token',
  answer: { description: 'That of the token, or of the cookie’s.', schema: self },
  run: ({ who }) => ({ body: selfOf(who!) }),
})

const login = z
  .union([
    z.strictObject({ code: z.string().min(1).max(200) }).openapi({ description: 'From the fragment of a login link.' }),
    z.strictObject({ token: z.string().min(1).max(200) }),
  ])
  .openapi('Login')

export const logIn = operationOfAnyNode({
  id: 'logIn',
  method: 'post',
  path: '/login',
  tag: 'Log in',
  summary: 'Exchanges the code of a login link, or a token, for a cookie',
  description:
    'The cookie is for pages of this server alone (HttpOnly, SameSite=Strict), and ends with its token, or after twelve hours.',
  body: { schema: login, mostBytes: 1_024 },
  answer: { description: 'Logged in: Set-Cookie has the cookie.', schema: self },
  problems: [401],
  act: { message: 'logged in', told: () => ({}) },
  run({ body, request }, { logins, options, isSecure, clock }) {
    const credential = 'code' in body ? logins.useCode(body.code) : options.tokens.find(body.token)
    if (!credential) {
      const what = 'code' in body ? 'this link has been used, or its five minutes are over' : 'this token is not known'
      throw new Problem('unauthenticated', `${what}; godwit console makes a new link`)
    }
    const { cookie, endsAt } = logins.begin(credential)
    const maxAge = (endsAt - clock.now()) / 1000
    return {
      body: selfOf(credential, endsAt),
      by: credential,
      headers: { 'set-cookie': setCookie(request, cookie, maxAge, isSecure(request)) },
    }
  },
})

export const logOut = operationOfAnyNode({
  id: 'logOut',
  method: 'post',
  path: '/logout',
  tag: 'Log in',
  summary: 'Ends the cookie that asks',
  answer: { status: 204, description: 'Logged out. A token that asks stays good.', schema: z.undefined() },
  run({ request }, { logins, isSecure }) {
    logins.endOf(request)
    return { body: undefined, headers: { 'set-cookie': setCookie(request, '', 0, isSecure(request)) } }
  },
})
