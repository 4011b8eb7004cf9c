import type { Check } from '../check.js'
import { stringChecks } from './1.5-strings.js'
import { fixedHeaderChecks } from './2.2-fixed-header.js'
import { packetIdentifierChecks } from './2.3-packet-identifier.js'
import { credentialChecks } from './3.1.2-credentials.js'
import { keepAliveChecks } from './3.1.2-keep-alive.js'
import { sessionChecks } from './3.1.2-sessions.js'
import { willChecks } from './3.1.2-will.js'
import { clientIdChecks } from './3.1.3-client-id.js'
import { connectResponseChecks } from './3.1.4-connect-response.js'
import { connectChecks } from './3.1-connect.js'
import { connackChecks } from './3.2-connack.js'
import { publishChecks } from './3.3-publish.js'
import { retainChecks } from './3.3-retain.js'
import { pubrelChecks } from './3.6-pubrel.js'
import { subscribeChecks } from './3.8-subscribe.js'
import { unsubscribeChecks } from './3.10-unsubscribe.js'
import { pingreqChecks } from './3.12-pingreq.js'
import { disconnectChecks } from './3.14-disconnect.js'
import { sessionStateChecks } from './4.1-session-state.js'
import { qosChecks } from './4.3-qos.js'
import { redeliveryChecks } from './4.4-redelivery.js'
import { receiptChecks } from './4.5-receipt.js'
import { orderingChecks } from './4.6-ordering.js'
import { topicChecks } from './4.7-topics.js'
import { errorChecks } from './4.8-errors.js'
import { websocketChecks } from './6-websocket.js'
import { conformanceChecks } from './7-conformance.js'

/** Every check of a statement of the standard, chapter by chapter. */
export const allChecks: readonly Check[] = [
  ...stringChecks,
  ...fixedHeaderChecks,
  ...packetIdentifierChecks,
  ...connectChecks,
  ...sessionChecks,
  ...willChecks,
  ...credentialChecks,
  ...keepAliveChecks,
  ...clientIdChecks,
  ...connectResponseChecks,
  ...connackChecks,
  ...publishChecks,
  ...retainChecks,
  ...pubrelChecks,
  ...subscribeChecks,
  ...unsubscribeChecks,
  ...pingreqChecks,
  ...disconnectChecks,
  ...sessionStateChecks,
  ...qosChecks,
  ...redeliveryChecks,
  ...receiptChecks,
  ...orderingChecks,
  ...topicChecks,
  ...errorChecks,
  ...websocketChecks('3.1.1'),
  ...conformanceChecks,
]
