import { allChecks, allChecks50, type Check } from '@godwit/conformance'
import type { Mutation } from './mutation.js'
import { mutations311 } from './mutations-3.1.1.js'
import { mutations50 } from './mutations-5.0.js'

/** The checks of one version, and a fault for each that can be run. */
export interface Suite {
  readonly version: Check['version']
  readonly checks: readonly Check[]
  readonly mutations: readonly Mutation[]
}

export const suites: readonly Suite[] = [
  { version: '3.1.1', checks: allChecks, mutations: mutations311 },
  { version: '5.0', checks: allChecks50, mutations: mutations50 },
]
