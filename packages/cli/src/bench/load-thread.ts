// One thread of the load: does what thread-load.ts, in the main thread, asks for.
import { parentPort, workerData } from 'node:worker_threads'
import { CommandError } from '../command-error.js'
import { Load } from './load.js'
import type { ThreadAnswer, ThreadData, ThreadRequest } from './thread-load.js'

const { settings, worker } = workerData as ThreadData
const tell = (answer: ThreadAnswer): void => parentPort?.postMessage(answer)

function fail(error: unknown): void {
  const known = error instanceof CommandError
  tell({ type: 'failed', message: known ? error.message : String(error instanceof Error ? error.stack : error), known })
}

const load = new Load(settings, worker, {
  onDelivered: (delivered) => tell({ type: 'delivered', delivered }),
  onFailure: fail,
})
tell({ type: 'ready', latency: load.latency, connecting: load.connecting })

parentPort?.on('message', (request: ThreadRequest) => void handle(request).catch(fail))

async function handle(request: ThreadRequest): Promise<void> {
  switch (request.type) {
    case 'start':
      return load.start(request.times)
    case 'stop':
      return load.stop(request.at)
    case 'delivered':
      return load.delivered(request.delivered)
    case 'prepare':
      await load.prepare()
      return tell({ type: 'prepare' })
    case 'arm':
      await load.arm(request.times)
      return tell({ type: 'arm' })
    case 'tally':
      return tell({ type: 'tally', tally: await load.tally() })
    case 'close':
      await load.close()
      return tell({ type: 'close' })
  }
}
