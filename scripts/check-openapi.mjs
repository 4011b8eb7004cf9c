// Checks the description of the HTTP API with Redocly CLI, which is fetched where no path of it is given: it is large, and nothing
// else needs it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openApiDocument } from '@godwit/admin'

const folder = mkdtempSync(join(tmpdir(), 'godwit-openapi-'))
const document = join(folder, 'openapi.json')
const [given] = process.argv.slice(2)
const [command = '', ...args] = given === undefined ? ['npx', '--yes', '@redocly/cli@2.77.0'] : [given]
try {
  writeFileSync(document, JSON.stringify(openApiDocument()))
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }
  const rules = ['--extends', 'recommended', '--max-problems', '100']
  const { status } = spawnSync(command, [...args, 'lint', ...rules, document], { cwd: folder, env, stdio: 'inherit' })
  process.exitCode = status ?? 1
} finally {
  rmSync(folder, { recursive: true })
}
