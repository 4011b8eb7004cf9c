import { featureEffects, type LimitEffect, limitEffects } from '@godwit/broker'
import { isObject, type Path } from './layers.js'
import type { Resolved } from './resolve.js'
import type { Config } from './schema.js'

/** Whether a reload takes it up: all of a section, or each of its settings. */
type TakenUp<Section> = boolean | { readonly [Name in keyof Section]-?: boolean }

/** Which settings a reload takes up: what says so to people is made from this, and the broker itself goes by it. */
export const takenUp: { readonly [Name in keyof Config]-?: TakenUp<NonNullable<Config[Name]>> } = {
  listeners: true,
  allowAnonymous: true,
  auth: true,
  acl: true,
  data: false,
  control: false,
  backup: true,
  metrics: true,
  http: true,
  bridges: true,
  cluster: false,
  plugins: true,
  limits: true,
  features: { ...eachTakenUp(featureEffects), willsAfterRestart: false },
  sysIntervalSeconds: true,
  log: true,
}

/** Beside a table of its own, which says from when on. */
function eachTakenUp<Names extends object>(effects: Names): { readonly [Name in keyof Names]: true } {
  return Object.fromEntries(Object.keys(effects).map((name) => [name, true])) as { [Name in keyof Names]: true }
}

/** From when on a setting that has changed holds: from a reload on, there for new connections only, or from the next start on. */
type Effect = LimitEffect | 'next start'

/** @param name of a setting, as `limits.maxInflight`. */
export function effectOf(name: string): Effect {
  if (!isTakenUp(name)) return 'next start'
  const [section = '', inner = ''] = name.split('.')
  const effects = { limits: limitEffects, features: featureEffects }[section] as Record<string, LimitEffect> | undefined
  return effects?.[inner] ?? 'at once'
}

/** @param name of a setting, as `limits.maxInflight`. */
export function isTakenUp(name: string): boolean {
  const [section = '', inner = ''] = name.split(/[.[]/)
  const effects: unknown = (takenUp as Readonly<Record<string, unknown>>)[section]
  return typeof effects === 'object' ? (effects as Readonly<Record<string, boolean>>)[inner] === true : effects === true
}

/**
 * What holds once a reload has taken up what it may: the rest is as it was at the start.
 * @param left settings that were not taken up all the same, by name.
 */
export function inForceAfter(started: Resolved, next: Resolved, left: readonly string[] = []): Resolved {
  const isLeft = (name: string): boolean => !isTakenUp(name) || left.includes(name)
  const [old, young] = [started.config, next.config] as unknown as Readonly<Record<string, unknown>>[]
  const sections = [...new Set([...Object.keys(old!), ...Object.keys(young!)])].map((name) => {
    const [before, after] = [old![name], young![name]]
    if (!isObject(before) || !isObject(after)) return [name, isLeft(name) ? before : after] as const
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    const inner = names.map((one) => [one, isLeft(`${name}.${one}`) ? before[one] : after[one]] as const)
    return [name, Object.fromEntries(inner.filter(([, value]) => value !== undefined))] as const
  })
  const config = Object.fromEntries(sections.filter(([, value]) => value !== undefined)) as unknown as Config
  const origin = (path: Path): string => (isLeft(path.slice(0, 2).join('.')) ? started : next).origin(path)
  return { config, origin }
}
