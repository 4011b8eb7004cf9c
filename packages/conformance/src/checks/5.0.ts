import type { Check } from '../check.js'
import { sameAs311Checks } from './5.0-as-3.1.1.js'
import { errorChecks50 } from './5.0-errors.js'
import { propertyChecks50 } from './5.0-properties.js'
import { websocketChecks } from './6-websocket.js'
import { dataChecks50 } from './v5/1.5-data.js'
import { packetFormatChecks50 } from './v5/2-packet-format.js'
import { connectChecks50 } from './v5/3.1-connect.js'
import { requestChecks50 } from './v5/3.1-requests.js'
import { sessionChecks50 } from './v5/3.1-sessions.js'
import { willChecks50 } from './v5/3.1-will.js'
import { connackChecks50 } from './v5/3.2-connack.js'
import { connackPropertyChecks50 } from './v5/3.2-connack-properties.js'
import { flowControlChecks50 } from './v5/3.3-flow-control.js'
import { malformedPublishChecks50 } from './v5/3.3-malformed.js'
import { publishPropertyChecks50 } from './v5/3.3-properties.js'
import { publishChecks50 } from './v5/3.3-publish.js'
import { retainChecks50 } from './v5/3.3-retain.js'
import { topicAliasChecks50 } from './v5/3.3-topic-alias.js'
import { acknowledgementChecks50 } from './v5/3.4-acknowledgements.js'
import { subscribeChecks50 } from './v5/3.8-subscribe.js'
import { disconnectChecks50 } from './v5/3.14-disconnect.js'
import { sessionStateChecks50 } from './v5/4.1-session-state.js'
import { qosChecks50 } from './v5/4.3-qos.js'
import { sharedChecks50 } from './v5/4.8-shared.js'
import { quotaChecks50 } from './v5/4.9-flow-control.js'
import { authenticationChecks50 } from './v5/4.12-authentication.js'
import { closingChecks50 } from './v5/4.13-errors.js'

/** Every check of a statement of 5.0. */
export const allChecks50: readonly Check[] = [
  ...sameAs311Checks,
  ...errorChecks50,
  ...propertyChecks50,
  ...dataChecks50,
  ...packetFormatChecks50,
  ...connectChecks50,
  ...requestChecks50,
  ...sessionChecks50,
  ...willChecks50,
  ...connackChecks50,
  ...connackPropertyChecks50,
  ...publishChecks50,
  ...malformedPublishChecks50,
  ...publishPropertyChecks50,
  ...retainChecks50,
  ...flowControlChecks50,
  ...topicAliasChecks50,
  ...acknowledgementChecks50,
  ...subscribeChecks50,
  ...disconnectChecks50,
  ...sessionStateChecks50,
  ...qosChecks50,
  ...sharedChecks50,
  ...quotaChecks50,
  ...authenticationChecks50,
  ...closingChecks50,
  ...websocketChecks('5.0'),
]
