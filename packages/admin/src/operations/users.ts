import { z } from '@hono/zod-openapi'
import { disconnectUser } from '../disconnect-user.js'
import { textParam } from '../listing.js'
import { operation } from '../operation.js'
import { quoted } from '../problem.js'
import { count } from '../values.js'

const oneUser = z.strictObject({ username: textParam('The user’s name.') })

export const listUsers = operation({
  id: 'listUsers',
  method: 'get',
  path: '/users',
  tag: 'Access',
  summary: 'The users of the password file',
  description: 'In the order of the file. Hashes are never shown.',
  needs: 'users',
  answer: {
    description: 'All of them; ETag is for edits.',
    schema: z.strictObject({ users: z.array(z.strictObject({ username: z.string() })) }).openapi('Users'),
    hasEtag: true,
  },
  problems: [409],
  async run(_, { parts }) {
    const { etag, users } = await parts.users.list()
    return { body: { users: users.map(({ username }) => ({ username })) }, headers: { etag: quoted(etag) } }
  },
})

export const setUser = operation({
  id: 'setUser',
  method: 'put',
  path: '/user',
  tag: 'Access',
  summary: 'Adds a user, or gives one another password',
  description: 'Written to the password file at once, and in force when this is answered; the version before is kept.',
  needs: 'users',
  query: oneUser,
  ifMatch: 'may',
  body: {
    schema: z.strictObject({ password: z.string().min(1).max(65_535) }).openapi('Password'),
    mostBytes: 256 * 1024,
  },
  answer: {
    description: 'Whether the user is new.',
    schema: z.strictObject({ created: z.boolean() }).openapi('UserSet'),
    hasEtag: true,
  },
  act: { message: 'user set', told: ({ query: { username } }) => ({ username }) },
  async run({ query: { username }, body: { password }, etag }, { parts }) {
    const { created, etag: now } = await parts.users.set(username, password, { etag })
    return { body: { created }, headers: { etag: quoted(now) } }
  },
})

export const removeUser = operation({
  id: 'removeUser',
  method: 'delete',
  path: '/user',
  tag: 'Access',
  summary: 'Removes a user, and disconnects who came in as that',
  needs: 'users',
  query: oneUser,
  ifMatch: 'may',
  answer: {
    description: 'Removed; so many clients were disconnected.',
    schema: z.strictObject({ disconnected: count }).openapi('UserRemoved'),
    hasEtag: true,
  },
  problems: [404],
  act: { message: 'user removed', told: ({ query: { username } }) => ({ username }) },
  async run({ query: { username }, etag }, { parts, broker }) {
    const { etag: now } = await parts.users.remove(username, { etag })
    return { body: { disconnected: await disconnectUser(broker, username) }, headers: { etag: quoted(now) } }
  },
})
