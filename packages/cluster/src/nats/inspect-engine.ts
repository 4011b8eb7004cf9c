import { jetstreamManager } from '@nats-io/jetstream'
import { connectNats, EngineUnfit, type NatsOptions } from './connection.js'
import { flawOf, namesOf, streamOf } from './stream.js'

/** What was found of the servers under a cluster. */
export interface EngineReport {
  readonly version: string
  /** Servers that have a copy of the log; left out: there is no log yet. */
  readonly replicas?: number
  /** Whether each acknowledged frame is on disk: as the monitoring address says; `unknown`: none was named. */
  readonly synced: boolean | 'unknown'
  /** What is not as it should be and does not keep a node from starting, in words. */
  readonly warnings: readonly string[]
}

export interface InspectOptions extends NatsOptions {
  /** Of the cluster. */
  readonly name: string
  /** Addresses of the servers' monitoring, such as `http://10.0.0.1:8222`. */
  readonly monitoring?: readonly string[]
}

const monitoringMs = 3_000

/**
 * Asks the servers whether a cluster can rely on them; changes nothing.
 * @throws EngineUnfit when it cannot.
 */
export async function inspectEngine(options: InspectOptions): Promise<EngineReport> {
  const { name, monitoring = [] } = options
  const connection = await connectNats(options, `godwit ${name} check`, { log: () => {} })
  try {
    const version = connection.info?.version ?? 'unknown'
    const manager = await jetstreamManager(connection)
    const names = namesOf(name)
    const found = await streamOf(manager, names.log)
    const flaw = found && flawOf(found.config, names)
    if (flaw !== undefined) throw new EngineUnfit(`stream ${names.log} ${flaw}`)
    const replicas = found?.config.num_replicas
    const synced = await syncOf(monitoring)
    return {
      version,
      ...(replicas !== undefined && { replicas }),
      synced,
      warnings: [
        ...(replicas !== undefined && replicas < 3
          ? [`the log has ${replicas} ${replicas === 1 ? 'copy' : 'copies'}: with three, one machine can be lost`]
          : []),
        ...(synced === 'unknown' ? [notKnown] : synced ? [] : [notSynced]),
      ],
    }
  } catch (error) {
    if (error instanceof EngineUnfit) throw error
    throw new EngineUnfit(
      `JetStream refuses: ${(error as Error).message}; see that a majority of its servers runs and that the user may do it`,
    )
  } finally {
    await connection.close()
  }
}

export const notKnown =
  'it is not known whether NATS has frames on disk before it acknowledges them: name the monitoring address of its servers (cluster.monitoring)'
export const notSynced =
  'NATS acknowledges frames before they are on disk: set sync_interval: always in its jetstream block; a power cut would take acknowledged messages'

/** @throws EngineUnfit a monitoring address does not answer. */
async function syncOf(addresses: readonly string[]): Promise<boolean | 'unknown'> {
  if (addresses.length === 0) return 'unknown'
  const answers = await Promise.all(addresses.map(isSynced))
  return answers.every(Boolean)
}

async function isSynced(address: string): Promise<boolean> {
  try {
    const answer = await fetch(new URL('/jsz', address), { signal: AbortSignal.timeout(monitoringMs) })
    const { config } = (await answer.json()) as { config?: { sync_always?: boolean } }
    return config?.sync_always === true
  } catch (error) {
    throw new EngineUnfit(`the monitoring address ${address} does not answer: ${(error as Error).message}`)
  }
}
