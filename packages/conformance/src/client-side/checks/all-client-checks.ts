import type { ClientCheck } from '../client-check.js'
import { formatChecks } from './2-packet-format.js'
import { keepAliveChecks } from './3.1.2-keep-alive.js'
import { connectChecks } from './3.1-connect.js'
import { limitChecks } from './3.3-limits.js'
import { receivingChecks } from './4.3-receiving.js'
import { sendingChecks } from './4.3-sending.js'

/** The statements that a client can be seen to keep or to break, of both versions, in the order of the standard. */
export const allClientChecks: readonly ClientCheck[] = [
  ...connectChecks,
  ...keepAliveChecks,
  ...formatChecks,
  ...limitChecks,
  ...sendingChecks,
  ...receivingChecks,
].sort((a, b) => a.version.localeCompare(b.version) || a.id.localeCompare(b.id, 'en', { numeric: true }))
