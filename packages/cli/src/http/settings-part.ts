import { type Configuration, NotEditable, type Setting } from '@godwit/admin/parts'
import { BrokerError } from '@godwit/broker'
import { CommandError } from '../command-error.js'
import { defaultLayer, type Path, textLayer } from '../config/layers.js'
import { shown } from '../config/print.js'
import { type Resolved, resolve } from '../config/resolve.js'
import { defaults } from '../config/schema.js'
import type { ReloadAnswer } from '../control/control-protocol.js'

/** What the HTTP API says of the configuration of a running broker. */
export function settingsPart(inForce: () => Resolved, reload: () => Promise<ReloadAnswer>): Configuration {
  return {
    async effective() {
      const { config, origin } = inForce()
      return [...leavesOf(config, [], origin)]
    },
    async check(text) {
      try {
        resolve([defaultLayer(defaults), textLayer(text, 'configuration', '/')])
        return { problems: [] }
      } catch (error) {
        if (!(error instanceof CommandError)) throw error
        return { problems: error.problems.map(({ message }) => message) }
      }
    },
    async reload() {
      try {
        const { reloaded, needsRestart } = await reload()
        return { reloaded, needsRestart }
      } catch (error) {
        if (error instanceof CommandError || error instanceof BrokerError) throw new NotEditable(error.message)
        throw error
      }
    },
  }
}

/** Every value, with the name it has in the configuration. */
function* leavesOf(value: unknown, path: Path, origin: (path: Path) => string): Generator<Setting> {
  if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      yield* leavesOf(inner, [...path, Array.isArray(value) ? Number(key) : key], origin)
    }
    return
  }
  const plain = shown(path, value)
  if (plain === undefined) return
  yield { name: nameOf(path), value: plain as Setting['value'], origin: origin(path) }
}

function nameOf(path: Path): string {
  return path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('')
}
