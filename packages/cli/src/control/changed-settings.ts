import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../config/layers.js'

/** The settings that differ, by the names they have in the configuration: `listeners`, `limits.maxInflight`. */
export function changedSettings(before: object, now: object): string[] {
  const [old, young] = [{ ...before }, { ...now }] as [Record<string, unknown>, Record<string, unknown>]
  return [...new Set([...Object.keys(old), ...Object.keys(young)])].flatMap((name) => {
    const [one, other] = [old[name], young[name]]
    if (isDeepStrictEqual(one, other)) return []
    return isObject(one) && isObject(other) ? changedSettings(one, other).map((inner) => `${name}.${inner}`) : [name]
  })
}
