import { checkListener } from './check-listener.js'
import type { Checks, OptionsKind } from './checks.js'
import { invalidOption } from './errors.js'
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

/** What to write instead of a callback, which would never be called. */
const insteadOfCallbacks: { readonly [K in OptionsKind]?: string } = {
  publish: 'await the promise that publish() gives',
  subscribe: 'give messages a handler with { onMessage }, and await the promise that subscribe() gives',
}

/** Every check there is. Each client has them, except that of `@godwit/client/browser`, which is given them. */
export const checks: Checks = {
  options(kind, call, given) {
    const instead = insteadOfCallbacks[kind]
    if (typeof given === 'function' && instead) throw invalidOption(`${call}: there are no callbacks here: ${instead}`)
    checkOptions(call, given, tables[kind], kind === 'credentials' ? 'the answer is' : 'the options are')
  },
  listener: checkListener,
}
