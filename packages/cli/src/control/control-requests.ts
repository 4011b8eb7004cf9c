import { version } from '../version.js'
import type { ReloadAnswer, StatusAnswer } from './control-protocol.js'
import type { Serve } from './control-socket.js'
import type { InspectedBroker } from './inspected-broker.js'
import { streamTop } from './top-stream.js'
import { streamTrace } from './trace-stream.js'

export interface ControlledBroker {
  readonly broker: InspectedBroker
  /** In words, as `127.0.0.1:1883`. */
  readonly listeners: readonly string[]
  readonly reload: () => Promise<ReloadAnswer>
}

/** What a broker answers to requests over its control socket. No answer holds a payload, a password or a key. */
export function controlRequests({ broker, listeners, reload }: ControlledBroker): Serve {
  return async (request, answers) => {
    switch (request.request) {
      case 'status': {
        const { pid } = process
        const uptimeSeconds = Math.floor(process.uptime())
        return answers.end({ version, pid, uptimeSeconds, listeners } satisfies StatusAnswer)
      }
      case 'reload':
        return answers.end(await reload())
      case 'trace':
        return streamTrace(broker, request, answers)
      case 'top':
        return streamTop(broker, answers)
    }
  }
}
