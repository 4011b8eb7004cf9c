import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { BrokerError } from '@godwit/broker'
import { type AccessRule, mosquittoAcl, parseAccessRules } from '@godwit/broker/access'
import { CommandError } from '../command-error.js'
import { fileLayer, isObject } from '../config/layers.js'
import { systemProblem } from '../system-problem.js'

/**
 * Reads access rules, each with the place where it stands. A file that ends in .yaml, .yml or .json has our form, under
 * `rules`, or under `acl` and `rules` as in the broker's configuration; any other is mosquitto's acl_file.
 * @param warn is told of lines of an acl_file that mean something else than they seem to. Default: nobody.
 * @throws CommandError naming file and line.
 */
export function readAccessRules(file: string, warn: (warning: string) => void = () => {}): readonly AccessRule[] {
  try {
    return ['.yaml', '.yml', '.json'].includes(extname(file)) ? yamlRules(file) : mosquittoAcl(textOf(file), file, warn)
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const problem = `cannot read the access rules ${file}: ${systemProblem(error)}`
    throw new CommandError(problem, 1, { cause: error })
  }
}

function yamlRules(file: string): readonly AccessRule[] {
  const { values, where } = fileLayer(file, 'the access rules')
  const { acl } = values
  if (isObject(acl)) return parseAccessRules(acl.rules, (at) => where(['acl', 'rules', at]))
  return parseAccessRules(values.rules, (at) => where(['rules', at]))
}
