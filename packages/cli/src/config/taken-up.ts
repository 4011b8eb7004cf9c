import type { Config } from './schema.js'

/** Whether a setting that has changed is taken up by a reload; otherwise it holds from the next start on. */
type Effect = boolean

/** A word for all of a section, or one for each of its settings. */
type Effects<Section> = Effect | { readonly [Name in keyof Section]-?: Effect }

/** Which settings a reload takes up: what says so to people is made from this, and the broker itself goes by it. */
export const takenUp: { readonly [Name in keyof Config]-?: Effects<NonNullable<Config[Name]>> } = {
  listeners: true,
  allowAnonymous: true,
  auth: true,
  acl: true,
  data: false,
  control: false,
  backup: true,
  metrics: false,
  http: false,
  bridges: true,
  plugins: true,
  limits: true,
  features: {
    mqtt31: true,
    bridgeProtocol: true,
    maximumQos: true,
    retainAvailable: true,
    wildcardSubscriptions: true,
    sharedSubscriptions: true,
    sharedHandOverAtDisconnect: true,
    subscriptionIdentifiers: true,
    emptyClientIds: true,
    controlCharacters: true,
    checkPayloadFormat: true,
    willsAfterRestart: false,
    publishBeyondRate: true,
  },
  sysIntervalSeconds: true,
  log: true,
}

/** @param name of a setting, as `limits.maxInflight`. */
export function isTakenUp(name: string): boolean {
  const [section = '', inner = ''] = name.split('.')
  const effects: unknown = (takenUp as Readonly<Record<string, unknown>>)[section]
  return typeof effects === 'object' ? (effects as Readonly<Record<string, boolean>>)[inner] === true : effects === true
}
