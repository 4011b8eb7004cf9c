import { expect, test } from 'vitest'
import { changedSettings } from './changed-settings.js'

test.each([
  [{ data: 'a' }, { data: 'a' }, []],
  [{ data: 'a' }, { data: 'b' }, ['data']],
  [
    { limits: { maxInflight: 1, maxQueuedMessages: 2 } },
    { limits: { maxInflight: 3 } },
    ['limits.maxInflight', 'limits.maxQueuedMessages'],
  ],
  [{ listeners: [{ port: 1 }] }, { listeners: [{ port: 2 }] }, ['listeners']],
  [{ auth: {} }, { auth: { jwt: { secret: 'x' } } }, ['auth.jwt']],
  [{}, { control: 'none' }, ['control']],
])('from %j to %j', (before, now, changed) => {
  expect(changedSettings(before, now)).toEqual(changed)
})
