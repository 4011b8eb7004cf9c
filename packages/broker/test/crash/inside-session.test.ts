import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { Random } from './random.js'

const program = fileURLToPath(new URL('./inside-child.mjs', import.meta.url))
const rounds = Number(process.env.GODWIT_TEST_KILL_ROUNDS ?? 5)
/** The shortest and the longest load before the kill. */
const loadMs = [20, 400] as const

let folder: string
let child: ChildProcess
afterEach(async () => {
  await kill()
  rmSync(folder, { recursive: true })
})

it('sessions inside a process that is killed at any moment: QoS 2 comes once, in order, and nothing is lost', {
  timeout: 10_000 + rounds * 5_000,
}, async () => {
  folder = mkdtempSync(join(tmpdir(), 'godwit-inside-kill-'))
  const linesOf = (name: string): string[] => readFileSync(join(folder, name), 'utf8').trim().split('\n')
  const random = new Random()
  for (let round = 0; round < rounds; round++) {
    await start()
    await after(random.between(...loadMs))
    await kill()
  }
  const safe = linesOf('safe')
  await start() // gives what was left
  await expect.poll(() => missing(safe, linesOf('given')), { timeout: 10_000 }).toEqual([])
  await kill()

  const given = linesOf('given').map((line) => line.split(' ') as [number: string, text: string])
  const byNumber = new Map(given)
  expect(given.filter(([number, text]) => byNumber.get(number) !== text)).toEqual([]) // a number is one message's
  expect(new Set(byNumber.values()).size).toBe(byNumber.size) // and a message has one number
  const numbers = [...byNumber.keys()].map(Number)
  expect(numbers).toEqual([...numbers].sort((one, other) => one - other))
  expect(safe.length).toBeGreaterThan(rounds)
})

async function start(): Promise<void> {
  child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  await once(child, 'message')
}

async function kill(): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const closed = once(child, 'close')
  child.kill('SIGKILL')
  await closed
}

/** What was safe and was never given. */
function missing(safe: readonly string[], given: readonly string[]): readonly string[] {
  const texts = new Set(given.map((line) => line.split(' ')[1]!))
  return safe.filter((text) => !texts.has(text))
}
