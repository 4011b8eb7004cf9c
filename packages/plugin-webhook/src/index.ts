import { definePlugin, type Outlet, openOutlet, post } from '@godwit/broker/plugin'
import { type EventSource, eventHooks, eventsTopicOf } from './events.js'
import { keysOf, webhookOptions } from './options.js'
import { requestOf } from './request.js'

export { type WebhookOptions, webhookOptions } from './options.js'

/**
 * Sends messages and events of a broker to a server, by HTTP: in batches, signed, in order, each until the server has it. See
 * docs/plugin-webhook.md.
 */
export default definePlugin({
  name: 'webhook',
  options: webhookOptions,
  state({ options, name }) {
    const { clientId = `plugin-${name}` } = options
    const source: EventSource & { outlet: Outlet | undefined } = { broker: undefined, outlet: undefined }
    return { clientId, eventsTopic: eventsTopicOf(clientId), source, keys: keysOf(options) }
  },
  hooks: (plugin) => eventHooks(plugin, plugin.state.eventsTopic, plugin.state.source),
  async start(broker, plugin) {
    const { options, state, clock } = plugin
    const { url, filters, events, headers, allowHttp: _, secret: __, secretFile: ___, ...outlet } = options
    const { clientId, eventsTopic, keys, source } = state
    const target = new URL(url)
    source.broker = broker
    source.outlet = await openOutlet(broker, plugin, {
      ...outlet,
      clientId,
      filters: [...filters, ...(events.length > 0 ? [eventsTopic] : [])],
      async write(messages, { signal }) {
        const request = requestOf(messages, eventsTopic, keys, clock.now())
        if (!request) return
        await post(target, { headers: { ...headers, ...request.headers }, body: request.body, signal })
      },
    })
  },
  async stop({ state: { source } }) {
    await source.outlet?.close()
    source.broker = undefined
  },
  counts: ({ state: { source } }) => ({ ...source.outlet?.counts }),
})
