import { checks } from './all-checks.js'
import { authenticator } from './enhanced-auth.js'
import type { Parts } from './settings.js'

/** Every part of a client. A page loads those that it wants. */
export const allParts: Parts = { checks, authenticator }
