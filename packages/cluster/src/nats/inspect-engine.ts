import { type Logger, systemClock } from '@godwit/broker'
import { connectNats, EngineUnfit, type NatsOptions } from './connection.js'
import { managerOf, onceGathered, refusalOf } from './gathered.js'
import { flawOf, namesOf, streamOf } from './stream.js'
import { type Sync, syncOf } from './sync.js'

/** What was found of the servers under a cluster. */
export interface EngineReport {
  readonly version: string
  /** Servers that have a copy of the log; left out: there is no log yet. */
  readonly replicas?: number
  readonly synced: Sync['synced']
  /** What is not as it should be and does not keep a node from starting, in words; last what concerns `synced`. */
  readonly warnings: readonly string[]
}

export interface InspectOptions extends NatsOptions {
  /** Of the cluster. */
  readonly name: string
  /** Addresses of the servers' monitoring, such as `http://10.0.0.1:8222`. */
  readonly monitoring?: readonly string[]
  /** Told when it has to wait for servers that have just started. Default: nobody is. */
  readonly log?: Logger
}

const quiet: Logger = { log: () => {} }

/**
 * Asks the servers whether a cluster can rely on them; changes nothing.
 * @throws EngineUnfit when it cannot.
 */
export async function inspectEngine(options: InspectOptions): Promise<EngineReport> {
  const { name, monitoring = [], log = quiet } = options
  const connection = await connectNats(options, `godwit ${name} check`, quiet)
  try {
    const version = connection.info?.version ?? 'unknown'
    const manager = await managerOf(connection, systemClock, log)
    const names = namesOf(name)
    const found = await onceGathered(() => streamOf(manager, names.log), systemClock, log)
    const flaw = found && flawOf(found.config, names)
    if (flaw !== undefined) throw new EngineUnfit(`stream ${names.log} ${flaw}`)
    const replicas = found?.config.num_replicas
    const { synced, warning } = await syncOf(monitoring)
    return {
      version,
      ...(replicas !== undefined && { replicas }),
      synced,
      warnings: [
        ...(replicas !== undefined && replicas < 3
          ? [`the log has ${replicas} ${replicas === 1 ? 'copy' : 'copies'}: with three, one machine can be lost`]
          : []),
        ...(warning === undefined ? [] : [warning]),
      ],
    }
  } catch (error) {
    if (error instanceof EngineUnfit) throw error
    throw refusalOf(error as Error)
  } finally {
    await connection.close()
  }
}
