// Packs every package, installs the tarballs in an empty folder as a stranger would, and uses them there:
// the command starts a broker that answers a CONNECT and stops in order, and every export loads.
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Background, freePort } from './background.mjs'
import { packAll } from './pack.mjs'
import { PrepareError, report, run } from './prepare.mjs'

/** @typedef {import('./pack.mjs').Packed} Packed */

/** MQTT 3.1.1, clean session, client id "release"; and the CONNACK that accepts it. */
const connectPacket = Buffer.from('101300044d5154540402003c000772656c65617365', 'hex')
const connackAccepted = '20020000'

await report(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'godwit-release-'))
  try {
    const packed = await packAll(folder)
    const home = join(folder, 'home')
    await install(home, packed)
    await openDoors(home, packed)
    await runBroker(home)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

/**
 * @param {string} home
 * @param {readonly Packed[]} packed
 */
async function install(home, packed) {
  mkdirSync(home)
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: 'home', private: true, type: 'module' }))
  const tarballs = packed.map(({ tarball }) => tarball)
  const { code, output } = await run('npm', ['install', '--prefix', home, '--no-audit', '--no-fund', ...tarballs], {
    quiet: true,
  })
  if (code !== 0) throw new PrepareError(`the packed packages do not install\n${output}`)
  console.log(`ok ${packed.length} packages install`)
}

/**
 * Imports what each package's `exports` offers.
 * @param {string} home
 * @param {readonly Packed[]} packed
 */
async function openDoors(home, packed) {
  const exports = packed.flatMap(({ name, manifest }) =>
    Object.keys(manifest.exports).map((key) => name + key.slice(1)),
  )
  const script = exports.map((entry) =>
    entry.endsWith('.json')
      ? `createRequire(import.meta.url)('${entry}')`
      : `if (Object.keys(await import('${entry}')).length === 0) throw new Error('${entry} exports nothing')`,
  )
  writeFileSync(join(home, 'exports.mjs'), ["import { createRequire } from 'node:module'", ...script].join('\n'))
  const { code, output } = await run(process.execPath, [join(home, 'exports.mjs')], { quiet: true })
  if (code !== 0) throw new PrepareError(`an export does not load\n${output}`)
  console.log(`ok ${exports.length} exports load: ${exports.join(' ')}`)
}

/** @param {string} home */
async function runBroker(home) {
  const port = await freePort()
  // exec: a shell between npx and the broker would keep signal and exit code from passing.
  const command = ['npx', '--no-install', '-c', `exec godwit broker --port ${port} --data memory`]
  const broker = await Background.start(command, { cwd: home, group: true, ready: new RegExp(`\\b${port}\\b`) })
  const answer = await firstAnswer(port).catch(String)
  const ending = await broker.stop()
  if (answer !== connackAccepted) throw new PrepareError(`the broker answered CONNECT with ${answer}\n${broker.output}`)
  if (ending !== 0) throw new PrepareError(`on SIGTERM the broker ended with ${ending}\n${broker.output}`)
  console.log('ok npx godwit broker answers a CONNECT, and ends in order on SIGTERM')
}

/**
 * The first bytes a broker sends to our CONNECT, as hex.
 * @param {number} port
 * @returns {Promise<string>}
 */
async function firstAnswer(port) {
  const socket = connect(port, '127.0.0.1')
  socket.write(connectPacket)
  try {
    const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })
    return bytes.toString('hex')
  } finally {
    socket.destroy()
  }
}
