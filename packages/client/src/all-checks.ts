import { checkListener } from './check-listener.js'
import type { Checks, OptionsKind } from './checks.js'
import { checkOptions, type OptionTable } from './option-checks.js'
import {
  callTable,
  closeTable,
  connectTable,
  credentialsTable,
  publishTable,
  requestTable,
  respondTable,
  responseTable,
  subscribeTable,
} from './option-tables.js'

export type { Checks, OptionsKind } from './checks.js'

const tables: Readonly<Record<OptionsKind, OptionTable>> = {
  connect: connectTable,
  credentials: credentialsTable,
  call: callTable,
  publish: publishTable,
  subscribe: subscribeTable,
  request: requestTable,
  respond: respondTable,
  response: responseTable,
  close: closeTable,
}

/** Every check there is. Each client has them, except that of `@godwit/client/browser`, which is given them. */
export const checks: Checks = {
  options: (kind, call, given) =>
    checkOptions(call, given, tables[kind], kind === 'credentials' ? 'the answer is' : 'the options are'),
  listener: checkListener,
}
