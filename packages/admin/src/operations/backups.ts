import { z } from '@hono/zod-openapi'
import { operation } from '../operation.js'
import { count, time } from '../values.js'

const backup = z
  .strictObject({ name: z.string(), bytes: count, createdAt: time })
  .openapi('Backup', { description: 'A copy of the data, below the folder of the configuration.' })

/** A name that the part has given: no path. */
const oneBackup = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/, 'it takes the name of a backup')
    .openapi({ description: 'As the list of backups has it.' }),
})

export const createBackup = operation({
  id: 'createBackup',
  method: 'post',
  path: '/backups',
  tag: 'Backup',
  summary: 'Makes a copy of the data while the broker runs',
  description: 'Compacted, readable by its owner alone, and without secret files. It ends when whoever asks is gone.',
  needs: 'backups',
  answer: { status: 201, description: 'Made.', schema: backup },
  problems: [409],
  act: { message: 'backup made', told: () => ({}) },
  async run({ signal }, { parts }) {
    return { body: await parts.backups.create(signal) }
  },
})

export const listBackups = operation({
  id: 'listBackups',
  method: 'get',
  path: '/backups',
  tag: 'Backup',
  summary: 'The backups that there are',
  needs: 'backups',
  answer: { description: 'The newest first.', schema: z.strictObject({ backups: z.array(backup) }).openapi('Backups') },
  problems: [409],
  async run(_, { parts }) {
    return { body: { backups: [...(await parts.backups.list())] } }
  },
})

export const downloadBackup = operation({
  id: 'downloadBackup',
  method: 'get',
  path: '/backup',
  tag: 'Backup',
  summary: 'Downloads a backup',
  needs: 'backups',
  query: oneBackup,
  answer: {
    description: 'The copy; the data file that is in use is not held by a download.',
    schema: z.string().openapi({ format: 'binary' }),
    type: 'application/octet-stream',
  },
  problems: [404],
  async run({ query: { name } }, { parts }) {
    const { bytes, stream } = await parts.backups.open(name)
    return new Response(stream, {
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(bytes),
        'content-disposition': `attachment; filename="${name}"`,
      },
    })
  },
})

export const removeBackup = operation({
  id: 'removeBackup',
  method: 'delete',
  path: '/backup',
  tag: 'Backup',
  summary: 'Removes a backup',
  needs: 'backups',
  query: oneBackup,
  answer: { status: 204, description: 'Removed.', schema: z.undefined() },
  problems: [404, 409],
  act: { message: 'backup removed', told: ({ query: { name } }) => ({ name }) },
  async run({ query: { name } }, { parts }) {
    await parts.backups.remove(name)
    return { body: undefined }
  },
})
