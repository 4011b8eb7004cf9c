import { z } from '@hono/zod-openapi'
import { operationOfAnyNode } from '../operation.js'

const setting = z
  .strictObject({
    name: z.string().openapi({ example: 'limits.maxInflight' }),
    value: z.union([z.string(), z.number(), z.boolean(), z.null()]).openapi({ description: 'Secrets are hidden.' }),
    origin: z
      .string()
      .openapi({ description: 'A place in a file, a flag, a variable of the environment, or `default`.' }),
  })
  .openapi('Setting')

export const getConfiguration = operationOfAnyNode({
  id: 'getConfiguration',
  method: 'get',
  path: '/configuration',
  tag: 'Configuration',
  summary: 'Every setting in force, and where it comes from',
  needs: 'configuration',
  answer: {
    description: 'Secrets are hidden.',
    schema: z.strictObject({ settings: z.array(setting) }).openapi('Configuration'),
  },
  async run(_, { parts }) {
    return { body: { settings: [...(await parts.configuration.effective())] } }
  },
})

export const checkConfiguration = operationOfAnyNode({
  id: 'checkConfiguration',
  method: 'post',
  path: '/configuration/check',
  tag: 'Configuration',
  summary: 'Says whether a text would be a configuration',
  description:
    'It is parsed and held against the schema only: no file that it names is read, no module loaded, nobody asked.',
  needs: 'configuration',
  body: { schema: z.string(), type: 'application/yaml', mostBytes: 32 * 1024 }, // parsed in one turn
  answer: {
    description: 'What is wrong with it, 100 things at most; empty: nothing.',
    schema: z.strictObject({ problems: z.array(z.string()) }).openapi('ConfigurationProblems'),
  },
  act: { message: 'configuration checked', told: () => ({}) },
  async run({ body }, { parts }) {
    const { problems } = await parts.configuration.check(body)
    return { body: { problems: problems.slice(0, 100) } }
  },
})

export const reload = operationOfAnyNode({
  id: 'reload',
  method: 'post',
  path: '/reload',
  tag: 'Configuration',
  summary: 'Takes up the configuration and the files it names: all of it, or nothing',
  needs: 'configuration',
  answer: {
    description: 'What was taken up, in words, and the settings that have changed and hold from the next start on.',
    schema: z.strictObject({ reloaded: z.array(z.string()), needsRestart: z.array(z.string()) }).openapi('Reloaded'),
  },
  problems: [409],
  act: { message: 'reload asked for', told: () => ({}) },
  async run(_, { parts }) {
    const { reloaded, needsRestart } = await parts.configuration.reload()
    return { body: { reloaded: [...reloaded], needsRestart: [...needsRestart] } }
  },
})
