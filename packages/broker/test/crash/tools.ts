import { spawnSync } from 'node:child_process'

/** CI sets it: there, a missing tool is a failure. */
const required = process.env.GODWIT_TEST_REQUIRE_PEERS === '1'

/** Whether a program is missing; says so, since tests are skipped then. @throws Error where CI must have it. */
export function missingTool(program: string, what: string): boolean {
  if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined) return false
  if (required) throw new Error(`${what} is needed here and not installed`)
  process.stdout.write(`crash: tests are skipped, because ${what} is not installed\n`)
  return true
}
