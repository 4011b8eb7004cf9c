import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBroker } from '@godwit/broker'
import { lmdbStore } from '@godwit/broker/store/lmdb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { TestTerminal } from '../../test/test-terminal.js'

let root: string
let folder: string
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'godwit-store-command-'))
  folder = join(root, 'data')
  const broker = await createBroker({ store: lmdbStore({ directory: folder }) })
  for (const topic of ['a', 'b']) await broker.publish(topic, `payload of ${topic}`, { retain: true })
  await broker.close()
})
afterEach(() => rmSync(root, { recursive: true }))

/** Wherever it stands: pages that are free keep what they had. */
function damage(text: string): void {
  const file = join(folder, 'p0', 'data.mdb')
  const opened = openSync(file, 'r+')
  const bytes = readFileSync(file)
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) writeSync(opened, 'X', at)
  closeSync(opened)
}

test('store check: all as it was written, then something that is not', async () => {
  const whole = new TestTerminal()
  expect(await whole.run('store', 'check', folder)).toBe(0)
  expect(whole.output).toMatch(
    /^0 sessions, 0 subscriptions, 0 queued messages, 2 retained, 0 wills: all as it was written; /,
  )
  damage('payload of a')
  const broken = new TestTerminal()
  expect(await broken.run('store', 'check', folder)).toBe(65)
  expect(broken.errors).toMatch(/^damaged: table retained, key [0-9a-f]{64}: its checksum is wrong \(\d+ bytes\)\n$/)
  expect(broken.output).toMatch(/1 retained, 0 wills: 1 damaged; /)
})

test('store repair: what is good is in the new folder', async () => {
  damage('payload of a')
  const terminal = new TestTerminal()
  const to = join(root, 'new')
  expect(await terminal.run('store', 'repair', folder, to)).toBe(0)
  expect(terminal.output).toMatch(/^copied to .*new: .* 1 retained, 0 wills: 1 damaged; /)
  await using broker = await createBroker({ store: lmdbStore({ directory: to }) })
  expect([await broker.retained.get('a'), (await broker.retained.get('b'))?.topic]).toEqual([undefined, 'b'])
})

test('store: what cannot be done is told in one line', async () => {
  const nowhere = new TestTerminal()
  expect(await nowhere.run('store', 'check', join(root, 'none'))).toBe(1)
  expect(nowhere.errors).toMatch(/is not a data folder of godwit, or is not there; name another one\n$/)
  const odd = new TestTerminal()
  expect(await odd.run('store', 'chek', folder)).toBe(1)
  expect(odd.errors).toMatch(/check/)
})
