import { readFileSync } from 'node:fs'
import { defaultLimits, type Limits, type LogLevel } from '@godwit/broker'
import { bytesOf } from './argument-values.js'
import { CommandError } from './command-error.js'
import { systemProblem } from './system-problem.js'
import { logLevels } from './text-log.js'

/** What `godwit broker --config FILE` reads. Each key is what the flag of that name is; flags win. */
export interface BrokerConfig {
  readonly host?: string
  readonly port?: number
  readonly allowAnonymous?: boolean
  readonly data?: string
  readonly logLevel?: LogLevel
  readonly mqtt31?: boolean
  readonly limits?: Partial<Limits>
}

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string' && value !== ''
const isFlag: Check = (value) => typeof value === 'boolean'

const keys: Readonly<Record<keyof BrokerConfig, { readonly check: Check; readonly takes: string }>> = {
  host: { check: isText, takes: 'a host name or address' },
  port: {
    check: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535,
    takes: 'a whole number from 0 to 65535',
  },
  allowAnonymous: { check: isFlag, takes: 'true or false' },
  data: { check: isText, takes: 'a folder, or "memory"' },
  logLevel: { check: (value) => (logLevels as readonly unknown[]).includes(value), takes: logLevels.join(', ') },
  mqtt31: { check: isFlag, takes: 'true or false' },
  limits: { check: isObject, takes: 'an object' },
}

/**
 * Reads a JSON configuration file. The ranges of the limits are the broker's to check.
 * @throws CommandError naming file and key.
 */
export function readConfig(file: string): BrokerConfig {
  const config = parsed(file)
  for (const [key, value] of Object.entries(config)) {
    if (!Object.hasOwn(keys, key)) {
      throw new CommandError(`${file}: there is no key '${key}'; it takes ${Object.keys(keys).join(', ')}`)
    }
    const { check, takes } = keys[key as keyof BrokerConfig]
    if (!check(value)) throw new CommandError(`${file}: ${key} is ${JSON.stringify(value)}; it takes ${takes}`)
  }
  const { limits, ...rest } = config as BrokerConfig
  return { ...rest, ...(limits && { limits: readLimits(file, limits) }) }
}

function parsed(file: string): object {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(`cannot read the configuration ${file}: ${systemProblem(error)}; name a JSON file`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new CommandError(`${file}: not JSON (${(error as Error).message}); this version reads JSON only`)
  }
  if (!isObject(value)) throw new CommandError(`${file}: it holds no JSON object; begin with { and end with }`)
  return value
}

function readLimits(file: string, given: Readonly<Record<string, unknown>>): Partial<Limits> {
  const limits: Record<string, number> = {}
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLimits, name)) {
      throw new CommandError(`${file}: there is no limits.${name}; it takes ${Object.keys(defaultLimits).join(', ')}`)
    }
    const isSize = name.endsWith('Bytes')
    const number = isSize && typeof value === 'string' ? bytesOf(value) : value
    if (typeof number !== 'number') {
      const takes = isSize ? 'a size such as 1048576 or "512MiB"' : 'a whole number'
      throw new CommandError(`${file}: limits.${name} is ${JSON.stringify(value)}; it takes ${takes}`)
    }
    limits[name] = number
  }
  return limits
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
