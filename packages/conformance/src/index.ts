import { checkNode } from './node-version.js'

export type { Case, Check, Dialogue } from './check.js'
export { allChecks50 } from './checks/5.0.js'
export { hostileChecks50 } from './checks/5.0-hostile.js'
export { allChecks } from './checks/all-checks.js'
export { hostileChecks } from './checks/hostile.js'
export { allClientChecks } from './client-side/checks/all-client-checks.js'
export type { ClientCheck } from './client-side/client-check.js'
export { commandLaunch, type Launch, type Launched, type Task } from './client-side/launch.js'
export { type ClientRunOptions, clientProblem, runClientChecks } from './client-side/run-client-checks.js'
export { type Scenario, scenarios } from './client-side/scenario.js'
export { CheckFailure, CheckSkipped } from './failure.js'
export type { Fields, Peer, PublishFields, PublishOptions } from './peer.js'
export {
  type Chapter,
  chapters,
  type JsonReport,
  jsonReport,
  junitReport,
  markdownReport,
  type Totals,
  tableReport,
  totalsOf,
} from './report.js'
export { type CheckResult, type Outcome, type RunOptions, runCheck, runChecks } from './run.js'
export { offerInWords, type Reception, receptionOf, serverOffer } from './server-offer.js'
export { type SocketTargetOptions, socketTarget } from './socket-target.js'
export { type Statement, statements311 } from './statements-3.1.1.js'
export { statements50 } from './statements-5.0.js'
export type { ByteStream, Target, WebSocketStream } from './target.js'
export type { ConnectedPeer, ConnectOptions, Credentials, Offer, Trial, TrialOptions } from './trial.js'
export { type UrlTargetOptions, urlTarget } from './url-target.js'

checkNode('@godwit/conformance')
