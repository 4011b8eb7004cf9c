export {
  decodeFrame,
  encodeFrame,
  type Frame,
  FrameDamage,
  type FrameKind,
  frameVersion,
  NewerFrame,
} from './frame/frame.js'
export { Diverged } from './log/log-reader.js'
export {
  type Following,
  type LogServer,
  LogSilent,
  type LogState,
  type NodeNote,
  type PublishAnswer,
  type SnapshotNote,
  type StoredFrame,
} from './log/log-server.js'
export { Fenced } from './log/log-writer.js'
export type { OwnerNote } from './log/position.js'
export { EngineUnfit, type NatsOptions, type NatsTls } from './nats/connection.js'
export { type EngineReport, type InspectOptions, inspectEngine } from './nats/inspect-engine.js'
export { type JetStreamLogOptions, jetstreamLog } from './nats/jetstream-log.js'
export {
  ClusterNode,
  type NodeSettings,
} from './node/cluster-node.js'
export type { HousekeepingSettings } from './node/housekeeping.js'
export type { NodeCounters, NodeRole, NodeStatus } from './node/node-status.js'
export { graceSeconds, makeNode, type OpenNodeOptions, openNode } from './open-node.js'
export { exportData, type ImportOptions, importData } from './transfer.js'
