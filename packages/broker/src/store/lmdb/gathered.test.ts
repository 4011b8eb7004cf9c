import { expect, it } from 'vitest'
import { commitNumbered } from '../../commit.js'
import { Gathered } from './gathered.js'
import type { StoredSession } from './stored-session.js'

const session = (): StoredSession => ({}) as StoredSession

it('is large by sessions that only acknowledge, as it is by records and by bytes', () => {
  const [sessions, records, bytes] = [
    new Gathered(commitNumbered(1), 0),
    new Gathered(commitNumbered(1), 0),
    new Gathered(commitNumbered(1), 0),
  ]
  for (let n = 0; n < 999; n++) {
    sessions.touch(session())
    records.write({ table: 'sessions', key: Buffer.from(`${n}`), value: undefined })
  }
  bytes.charge(2_097_151)
  expect([sessions.isLarge, records.isLarge, bytes.isLarge]).toEqual([false, false, false])
  sessions.touch(session())
  records.write({ table: 'due', key: Buffer.from('x'), value: undefined })
  bytes.charge(1)
  expect([sessions.isLarge, records.isLarge, bytes.isLarge]).toEqual([true, true, true])
})
