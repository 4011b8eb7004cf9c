// A plugin with options, and the program that tries it. In a configuration its file is named under `plugins`.
import { createBroker } from '@godwit/broker'
import { definePlugin, preparePlugin } from '@godwit/broker/plugin'
import { connect } from '@godwit/client'
import { z } from 'zod'

const houseRules = definePlugin({
  name: 'house-rules',
  options: z.strictObject({ quiet: z.array(z.string()) }),
  state: () => ({ refused: 0 }),
  hooks: ({ options, state, log }) => ({
    authorize({ action, topic, client }) {
      if (action !== 'publish' || !options.quiet.includes(topic)) return true
      state.refused++
      log.log('info', 'refused', { topic, clientId: client.clientId })
      return false
    },
  }),
  counts: ({ state }) => ({ refused: state.refused }),
})

const plugin = await preparePlugin(houseRules, { quiet: ['home/alarm'] })
await using broker = await createBroker({ hooks: plugin.hooks })
await plugin.start(broker)
const { port } = await broker.listen({ port: 0 })

await using client = await connect(`mqtt://localhost:${port}`)
await client.publish('home/door', 'open', { qos: 1 })
const refused = await client
  .publish('home/alarm', 'on', { qos: 1 })
  .catch(({ message }: Error) => message)
console.log(refused) // publish to 'home/alarm': the server refused it: Not authorized (not authorized to publish to this topic)
console.log(plugin.counts()) // { refused: 1 }
await plugin.stop()
