// A broker to be killed: run as a child process, told over its IPC channel which data folder to serve.
import { createBroker } from '../../dist/index.js'
import { lmdbStore } from '../../dist/store/lmdb/index.js'

/** @type {import('../../dist/index.js').Broker | undefined} */
let broker
/** @type {import('./broker-process.js').Death | undefined} */
let death
let visits = 0

process.on('message', async (/** @type {import('./broker-process.js').Command} */ command) => {
  try {
    if (command.type === 'open') await open(command)
    else if (command.type === 'close') await close()
    else death = command
  } catch (error) {
    process.send?.({ type: 'failed', why: error instanceof Error ? error.message : String(error) })
  }
})
// Whoever started it is gone: a test that was interrupted leaves no broker behind.
process.on('disconnect', () => process.exit())

/** @param {import('./broker-process.js').OpenOptions} options */
async function open({ directory, hasty }) {
  const store = lmdbStore({
    directory,
    onStep: (step) => {
      if (step === death?.step && ++visits === death.visit) process.kill(process.pid, 'SIGKILL')
    },
  })
  broker = await createBroker({ store: hasty ? hastyStore(store) : store, sysIntervalSeconds: 0 })
  const { port } = await broker.listen({ port: 0 })
  process.send?.({ type: 'open', port, pid: process.pid })
}

async function close() {
  await broker?.close()
  process.send?.({ type: 'closed' })
}

/**
 * Acknowledges without waiting for the disk.
 * @param {import('../../dist/index.js').Store} store
 */
function hastyStore(store) {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name === 'flushed' ? 'latest' : name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}
