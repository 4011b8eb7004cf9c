// A broker to be killed: run as a child process, told over its IPC channel which data folder to serve.
import { createBroker } from '../../dist/index.js'
import { lmdbStore } from '../../dist/store/lmdb/index.js'
import { VirtualClock } from '../../dist/testing/index.js'
import { mutants } from './mutant-store.mjs'

/** @type {import('../../dist/index.js').Broker | undefined} */
let broker
/** @type {VirtualClock | undefined} */
let clock
/** @type {import('./broker-process.js').Death | undefined} */
let death
let visits = 0
/** @type {string[]} */
const lines = []

process.on('message', async (/** @type {import('./broker-process.js').Command} */ command) => {
  try {
    if (command.type === 'open') await open(command)
    else if (command.type === 'close') await close()
    else if (command.type === 'pass') pass(command.ms)
    else if (command.type === 'tell') process.send?.({ type: 'told', lines })
    else death = command
  } catch (error) {
    process.send?.({ type: 'failed', why: error instanceof Error ? error.message : String(error) })
  }
})
// Whoever started it is gone: a test that was interrupted leaves no broker behind.
process.on('disconnect', () => process.exit())

/** @param {import('./broker-process.js').OpenOptions} options */
async function open({ directory, mutant, now }) {
  lines.length = 0
  const store = lmdbStore({
    directory,
    log: {
      log: (level, line, fields) => void lines.push(`${level} ${line}${fields?.error ? `: ${fields.error}` : ''}`),
    },
    onStep: (step) => {
      if (step === death?.step && ++visits === death.visit) process.kill(process.pid, 'SIGKILL')
    },
  })
  clock = now === undefined ? undefined : new VirtualClock(now)
  broker = await createBroker({
    store: mutant ? mutants[mutant](store) : store,
    sysIntervalSeconds: 0,
    ...(clock && { clock }),
  })
  const { port } = await broker.listen({ port: 0 })
  process.send?.({ type: 'open', port, pid: process.pid })
}

async function close() {
  await broker?.close()
  process.send?.({ type: 'closed' })
}

/** @param {number} ms */
function pass(ms) {
  clock?.advance(ms)
  process.send?.({ type: 'passed' })
}
