import {
  definePlugin,
  MessageRefusedError,
  type Outlet,
  type OutletMessage,
  openOutlet,
  post,
} from '@godwit/broker/plugin'
import { lineOf, type Point } from './line-protocol.js'
import { influxOptions, writeTarget } from './options.js'
import { filtersOf, pointMaker } from './points.js'

export { type FieldValue, lineOf, type Point } from './line-protocol.js'
export { type InfluxOptions, influxOptions } from './options.js'

/** A batch as lines. @throws MessageRefusedError for a message that is no point, as InfluxDB would. */
function bodyOf(messages: readonly OutletMessage[], pointOf: (message: OutletMessage) => Point): string {
  try {
    return messages.map((message) => lineOf(pointOf(message))).join('\n')
  } catch (error) {
    throw new MessageRefusedError((error as Error).message)
  }
}

/** Writes messages of a broker into InfluxDB. See docs/plugin-influx.md. */
export default definePlugin({
  name: 'influx',
  options: influxOptions,
  state: ({ options }) => ({
    target: writeTarget(options),
    pointOf: pointMaker(options),
    outlet: undefined as Outlet | undefined,
  }),
  async start(broker, plugin) {
    const { options, state } = plugin
    const { clientId, expirySeconds, maxBatchMessages, lingerMs, timeoutMs, firstRetryMs, mostRetryMs, refusedTopic } =
      options
    const { target, pointOf } = state
    state.outlet = await openOutlet(broker, plugin, {
      ...{ clientId, expirySeconds, maxBatchMessages, lingerMs, timeoutMs, firstRetryMs, mostRetryMs, refusedTopic },
      filters: filtersOf(options),
      write: (messages, { signal }) =>
        post(target.url, { headers: target.headers, body: bodyOf(messages, pointOf), signal }),
    })
  },
  stop: ({ state: { outlet } }) => outlet?.close(),
  counts: ({ state: { outlet } }) => ({ ...outlet?.counts }),
})
