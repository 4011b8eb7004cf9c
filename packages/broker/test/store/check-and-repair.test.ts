import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Metrics } from '../../src/metrics.js'
import { plainGrant } from '../../src/router/subscriber.js'
import { Deliveries, idle, messageOf } from '../../src/store/deliveries.contract.js'
import { checkStore, lmdbStore, repairStore } from '../../src/store/lmdb/index.js'

let root: string
let directory: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'godwit-repair-'))
  directory = join(root, 'data')
})
afterEach(() => rmSync(root, { recursive: true }))

const file = (): string => join(directory, 'p0', 'data.mdb')

/** Three sessions with twenty messages each of their own, and one message that all of them have. */
async function fill(): Promise<void> {
  const store = lmdbStore({ directory })
  await store.open()
  const sessions = ['a', 'b', 'c'].map((clientId) => {
    const session = new Deliveries(store.session(clientId))
    session.stored.connected(3600)
    session.stored.setSubscription(`${clientId}/#`, plainGrant(1), false)
    return session
  })
  for (const [at, session] of sessions.entries()) {
    for (let n = 1; n <= 20; n++) session.put(messageOf(`own ${at} ${n} ${'.'.repeat(3000)}`))
  }
  const shared = messageOf(`shared ${'.'.repeat(3000)}`)
  shared.goesTo(2)
  for (const session of sessions) session.put(shared)
  store.setRetained('r', messageOf('retained', 1, 'r'))
  await idle(store)
  await store.close()
}

/** Changes a byte of every place where the text stands. */
function flip(text: string): void {
  const bytes = readFileSync(file())
  const opened = openSync(file(), 'r+')
  let found = 0
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1), found++) {
    writeSync(opened, 'X', at)
  }
  closeSync(opened)
  expect(found).toBeGreaterThan(0)
}

/** What sessions have, by Client Identifier: how a text begins. */
async function texts(folder: string, metrics = new Metrics(), lines: string[] = []): Promise<Record<string, string[]>> {
  const store = lmdbStore({ directory: folder, log: { log: (level, line) => void lines.push(`${level} ${line}`) } })
  const { sessions } = await store.open({ metrics })
  const found: Record<string, string[]> = {}
  for (const { clientId, stored, outgoing } of sessions) {
    found[clientId] = new Deliveries(stored, outgoing).texts().map((text) => text.split(' .')[0]!)
  }
  await store.close()
  return found
}

const own = (at: number): string[] => Array.from({ length: 20 }, (_, n) => `own ${at} ${n + 1}`)

describe('a data folder that is looked at', () => {
  it('is as it was written', async () => {
    await fill()
    const { damage, damages, records, messages } = await checkStore(directory)
    expect([damage, damages, messages]).toEqual([[], 0, 63])
    expect(records).toMatchObject({ sessions: 3, cursors: 3, subscriptions: 3, retained: 1, bodies: 1 })
    expect(await texts(directory)).toMatchObject({ a: [...own(0), 'shared'] })
  })

  it('is not there, or in use', async () => {
    await expect(checkStore(directory)).rejects.toThrow(/is not a data folder of godwit, or is not there/)
    await fill()
    const store = lmdbStore({ directory })
    await store.open()
    await expect(checkStore(directory)).rejects.toThrow(/in use by process/)
    await store.close()
  })

  it('has a message that is not what it was: it is told, and not delivered; all others are', async () => {
    await fill()
    flip('own 1 7 ')
    const { damage, damages, messages } = await checkStore(directory)
    expect([damages, messages, damage[0]]).toEqual([1, 62, 'session 2, message 7: a message whose checksum is wrong'])
    const [metrics, lines] = [new Metrics(), [] as string[]]
    const found = await texts(directory, metrics, lines)
    expect(found).toMatchObject({ a: [...own(0), 'shared'], c: [...own(2), 'shared'] })
    expect(found.b).toEqual([...own(1).map((text) => (text === 'own 1 7' ? '-' : text)), 'shared'])
    expect([metrics.store.damagedRecords, metrics.dropped.damaged]).toEqual([1, 1])
    expect(lines).toContain('error a stored message is damaged and is not delivered')
  })

  it('has a message of several sessions that is not what it was: each is told', async () => {
    await fill()
    flip('shared .')
    expect((await checkStore(directory)).damages).toBe(1)
    const metrics = new Metrics()
    expect((await texts(directory, metrics)).a).toEqual([...own(0), '-'])
    expect(metrics.dropped.damaged).toBe(3)
  })

  it('has a session that cannot be read: it is set aside, and others go on', async () => {
    await fill()
    const { clientId, at } = placeOfSession()
    const opened = openSync(file(), 'r+')
    writeSync(opened, 'X', at)
    closeSync(opened)
    const metrics = new Metrics()
    const found = await texts(directory, metrics)
    expect(Object.keys(found).sort()).toEqual(['a', 'b', 'c'].filter((name) => name !== clientId))
    expect(metrics.store.damagedRecords).toBe(1)
    expect(readdirSync(join(directory, 'damaged'))).toHaveLength(1)
  })

  it('is repaired into a new folder: what is good is there, what is not was told', async () => {
    await fill()
    flip('own 2 3 ')
    const to = join(root, 'repaired')
    const { damages } = await repairStore(directory, to)
    expect(damages).toBe(1)
    const found = await texts(to)
    expect(found.a).toEqual([...own(0), 'shared'])
    expect(found.c).toEqual([...own(2).map((text) => (text === 'own 2 3' ? '-' : text)), 'shared'])
    expect(existsSync(join(to, 'damaged'))).toBe(false)
    await expect(repairStore(directory, to)).rejects.toThrow(/is not empty; name a new one/)
  })
})

/** Where a session's record has its Client Identifier: behind flags, expiry and time, at the end of a value of 17 bytes. */
function placeOfSession(): { clientId: string; at: number } {
  const bytes = readFileSync(file())
  // Not a group (0), 3,600 seconds, open, a name of one byte.
  const record = Buffer.from([0, 0, 0, 0x0e, 0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0, 1])
  const at = bytes.lastIndexOf(record) + record.length
  return { clientId: String.fromCharCode(bytes[at]!), at }
}
