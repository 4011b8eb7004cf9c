import type { Operation } from '../operation.js'
import { getBroker, getCounters } from './broker.js'
import { getClient, listClients } from './clients.js'
import { getSelf, logIn, logOut } from './self.js'

/** Every operation of the API, in the order in which it is described. */
export const operations: readonly Operation[] = [getSelf, logIn, logOut, getBroker, getCounters, listClients, getClient]
