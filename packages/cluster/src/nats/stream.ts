import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream'
import { EngineUnfit } from './connection.js'

export interface StreamSettings {
  /** Servers that have a copy of the log. Default 3; 1 keeps nothing when its machine is lost. */
  readonly replicas: number
  /** Bytes that the log may take on each of them. Default 4 GiB. */
  readonly logBytes: number
}

/** The names of what a cluster has in NATS. */
export interface StreamNames {
  readonly log: string
  readonly subject: string
  readonly snapshots: string
  readonly nodes: string
}

export function namesOf(cluster: string): StreamNames {
  return {
    log: `GODWIT_${cluster}_LOG`,
    subject: `godwit.${cluster}.log.0`,
    snapshots: `GODWIT_${cluster}_SNAP`,
    nodes: `GODWIT_${cluster}_NODES`,
  }
}

const noSuchStream = 10_059

/**
 * Makes the stream of the log where there is none.
 * @throws EngineUnfit one is there, and is none that a cluster can rely on.
 */
export async function ensureStream(
  manager: JetStreamManager,
  names: StreamNames,
  { replicas, logBytes }: StreamSettings,
): Promise<void> {
  const found = await streamOf(manager, names.log)
  if (found) {
    const flaw = flawOf(found.config, names)
    if (flaw === undefined) return
    throw new EngineUnfit(`stream ${names.log} ${flaw}; is it another program's? Take another name for the cluster`)
  }
  await manager.streams.add({
    name: names.log,
    subjects: [names.subject],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    num_replicas: replicas,
    max_bytes: logBytes,
    max_age: 0,
    deny_delete: true,
    allow_rollup_hdrs: false,
    description: 'The log of a Godwit cluster: whoever writes it owns every session in it.',
  })
}

/** `undefined`: there is none. */
export async function streamOf(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name)
  } catch (error) {
    if ((error as { code?: number }).code === noSuchStream || /not found/.test((error as Error).message))
      return undefined
    throw error
  }
}

/** Why a stream cannot be the log, in words. */
export function flawOf(config: StreamConfig, { subject }: StreamNames): string | undefined {
  if (config.subjects?.length !== 1 || config.subjects[0] !== subject) {
    return `has the subjects ${config.subjects?.join(', ') || 'none'}, not ${subject}`
  }
  if (config.storage !== StorageType.File) return 'is kept in memory'
  if (config.discard !== DiscardPolicy.New) return 'throws away its oldest frames when it is full'
  if (config.max_age > 0) return 'throws frames away by age'
  if (config.max_msgs > 0 || config.max_msgs_per_subject > 0) return 'throws frames away by number'
  if (config.retention !== RetentionPolicy.Limits) return `has the retention ${config.retention}`
  return undefined
}
