import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Deliveries } from '../../src/store/deliveries.contract.js'
import { lmdbStore } from '../../src/store/lmdb/index.js'
import type { Recovered } from '../../src/store/store.js'

// A folder as Godwit wrote it in format 1: two sessions, five messages for both of them, five for one, five for a shared
// group, two retained messages, and a delayed will that its client left behind by a DISCONNECT, so that none is there.
const old = gunzipSync(readFileSync(new URL('format-1.mdb.gz', import.meta.url)))

let root: string
let directory: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'godwit-upgrade-'))
  directory = join(root, 'data')
  mkdirSync(join(directory, 'p0'), { recursive: true })
  writeFileSync(join(directory, 'p0', 'data.mdb'), old)
  writeFileSync(join(directory, 'format'), 'godwit data, format 1\n')
})
afterEach(() => rmSync(root, { recursive: true }))

const numbered = (what: string): string[] => Array.from({ length: 5 }, (_, n) => `${what} ${n + 1}`)

async function opened<T>(look: (recovered: Recovered) => T): Promise<T> {
  const store = lmdbStore({ directory })
  const found = look(await store.open())
  await store.close()
  return found
}

function contents({ sessions, groups, retained }: Recovered): Record<string, unknown> {
  const textsOf = ({ stored, outgoing }: Recovered['sessions'][number] | Recovered['groups'][number]): string[] =>
    new Deliveries(stored, outgoing).texts()
  return {
    ...Object.fromEntries(sessions.map((one) => [one.clientId, textsOf(one)])),
    ...Object.fromEntries(groups.map((one) => [one.sharedFilter, textsOf(one)])),
    filters: sessions
      .flatMap(({ subscriptions }) => subscriptions.map(([filter, { qos }]) => `${filter} ${qos}`))
      .sort(),
    retained: retained.map(({ topic, payload }) => `${topic} ${Buffer.from(payload)}`).sort(),
  }
}

const everything = {
  asleep: numbered('both').flatMap((text, n) => [text, `own ${n + 1}`]),
  other: numbered('both'),
  '$share/g/s/#': numbered('group'),
  filters: ['$share/g/s/# 1', 'a/# 2', 'a/1 1', 'b/+ 1'],
  retained: ['r/1 kept', 'r/2 kept for long'],
}

describe('a folder of format 1', () => {
  it('is upgraded when it is opened, and loses nothing; the second time it is of format 2', async () => {
    expect(await opened(contents)).toEqual(everything)
    expect(readFileSync(join(directory, 'format'), 'utf8')).toBe('godwit data, format 2\n')
    expect(await opened(contents)).toEqual(everything)
    const kept = await opened(({ sessions, retained }) => ({
      properties: sessions[0]!.stored.queue.get(1)?.message.properties,
      qos: sessions[0]!.stored.queue.get(1)?.qos,
      expires: retained.find(({ topic }) => topic === 'r/2')!.expiresAt < Number.POSITIVE_INFINITY,
    }))
    expect(kept).toEqual({ properties: { userProperties: [['n', '1']] }, qos: 2, expires: true })
  })

  it('is upgraded again from the start when that ended before the format was written', async () => {
    writeFileSync(join(directory, 'p0', 'data.mdb.format-2'), 'half of it')
    expect(await opened(contents)).toEqual(everything)
  })

  it('goes on with the new file when the process ended after the format was written', async () => {
    await opened(contents)
    copyFileSync(join(directory, 'p0', 'data.mdb'), join(directory, 'p0', 'data.mdb.format-2'))
    writeFileSync(join(directory, 'p0', 'data.mdb'), old)
    expect(await opened(contents)).toEqual(everything)
    expect(existsSync(join(directory, 'p0', 'data.mdb.format-2'))).toBe(false)
  })
})
