import { MessageRefusedError, type OutletMessage, type OutletOptions } from '@godwit/broker/plugin'
import { escapeIdentifier } from 'pg'
import { sourceOf } from './columns.js'
import { type Database, refusesData } from './database.js'
import type { MessageOptions } from './options.js'

/** Writes batches into the table, each batch with one statement, which is one transaction; what is there already stays as it is. */
export function messageWriter(options: MessageOptions, database: Database): OutletOptions['write'] {
  const columns = Object.entries(options.columns).map(([name, source]) => ({ name, source, ...sourceOf(source) }))
  const table = options.table.split('.').map(escapeIdentifier).join('.')
  const names = columns.map(({ name }) => escapeIdentifier(name)).join(', ')
  const lists = columns.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ')
  const insert = `INSERT INTO ${table} (${names}) SELECT * FROM unnest(${lists}) ON CONFLICT DO NOTHING`
  const definitions = columns.map(({ name, type, source }) => {
    return `${escapeIdentifier(name)} ${type} ${source === 'id' ? 'PRIMARY KEY' : source === 'contentType' ? '' : 'NOT NULL'}`
  })
  let isThere = !options.createTable

  const ensureTable = async (): Promise<void> => {
    if (isThere) return
    const [found] = await database.query('SELECT to_regclass($1) IS NOT NULL AS there', [table])
    if (!found?.there) await database.query(`CREATE TABLE IF NOT EXISTS ${table} (${definitions.join(', ')})`, [])
    isThere = true
  }

  return async (messages: readonly OutletMessage[]) => {
    await ensureTable()
    const values = columns.map(({ of }) => messages.map(of))
    try {
      await database.query(insert, values)
    } catch (error) {
      if (refusesData(error)) throw new MessageRefusedError((error as Error).message)
      throw error
    }
  }
}
