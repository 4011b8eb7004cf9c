import { version } from '@godwit/broker'
import type { OpenAPIHono } from '@hono/zod-openapi'
import { descriptionPage, pageStyle } from './description-page.js'
import { operations } from './operations/all.js'
import { addOperation, apiPath, type Env, newApp } from './routes.js'

const about = `See and steer a running broker. Every request shows a token (\`Authorization: Bearer TOKEN\`), or a cookie that POST ${apiPath}/login
has given to a browser. What names a thing is in the query, as \`clientId\` or \`topic\`. Lists come in pages: \`next\` of one, as
\`cursor\`, brings the next; \`columns\` chooses what is shown. Times are ISO 8601, in UTC. Errors are problem documents (RFC 9457).
A node of a cluster that does not serve answers what is of any node, and 503 with the name of the one that serves to the rest.`

/** The API's description for programs, and a page of the same for people; both need no token. */
export function addDescription(app: OpenAPIHono<Env>): void {
  let made: { readonly text: string; readonly page: string } | undefined
  const make = (): { readonly text: string; readonly page: string } => {
    const document = openApiDocument()
    return { text: JSON.stringify(document), page: String(descriptionPage(document)) }
  }
  app.get(`${apiPath}/openapi.json`, (context) => {
    made ??= make()
    return context.body(made.text, 200, { 'content-type': 'application/json' })
  })
  app.get(apiPath, (context) => {
    made ??= make()
    return context.html(made.page)
  })
  app.get(`${apiPath}/style.css`, (context) =>
    context.body(pageStyle, 200, { 'content-type': 'text/css; charset=utf-8' }),
  )
}

/** The API as OpenAPI 3.1 describes it: the same whatever the broker, and whoever serves it. */
export function openApiDocument(): ReturnType<OpenAPIHono['getOpenAPI31Document']> {
  const app = newApp()
  const { openAPIRegistry } = app
  openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'Made by `godwit token create`.',
  })
  openAPIRegistry.registerComponent('securitySchemes', 'cookie', {
    type: 'apiKey',
    in: 'cookie',
    name: 'godwit-PORT',
    description: 'Of a browser that has logged in; PORT is the port of the server.',
  })
  for (const each of operations) addOperation(app, each, undefined as never, undefined as never) // nothing of it is called
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Godwit',
      version,
      description: about.replaceAll('\n', ' '),
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: '/', description: 'The server that serves this.' }],
    tags,
  })
}

const tags = [
  { name: 'Log in', description: 'Who asks.' },
  { name: 'Look', description: 'What the broker holds and does.' },
  { name: 'Follow', description: 'What happens, as it happens.' },
  { name: 'Act', description: 'What changes something. Each is in the log, with who did it.' },
  { name: 'Access', description: 'Users and access rules.' },
  { name: 'Configuration', description: 'What the broker was configured with.' },
  {
    name: 'Cluster',
    description: 'Where the broker is one of several: who serves, and how far the others are behind.',
  },
  { name: 'Backup', description: 'Copies of the data.' },
]
