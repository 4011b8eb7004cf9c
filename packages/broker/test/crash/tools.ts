import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** CI sets it: there, a missing tool is a failure. */
const required = process.env.GODWIT_TEST_REQUIRE_PEERS === '1'

/** Whether a program is missing; says so, since tests are skipped then. @throws Error where CI must have it. */
export function missingTool(program: string, what: string): boolean {
  if (spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined) return false
  if (required) throw new Error(`${what} is needed here and not installed`)
  process.stdout.write(`crash: tests are skipped, because ${what} is not installed\n`)
  return true
}

/** What {@link preloaded} needs. */
export const missingCompiler = (): boolean => missingTool('cc', 'a C compiler (Debian: gcc, libc6-dev)')

/** Builds a C file of this folder into a library that a broker is started with (LD_PRELOAD). Answers where that is. */
export function preloaded(name: string, folder: string): string {
  const library = join(folder, `${name}.so`)
  const source = fileURLToPath(new URL(`./${name}.c`, import.meta.url))
  execFileSync('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl'])
  return library
}
