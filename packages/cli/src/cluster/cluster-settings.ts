import { hostname } from 'node:os'
import type { Logger } from '@godwit/broker'
import { type EngineReport, EngineUnfit, inspectEngine, type NatsOptions } from '@godwit/cluster'
import { CommandError } from '../command-error.js'
import type { Resolved } from '../config/resolve.js'
import type { Config } from '../config/schema.js'
import { isLoopback } from '../loopback.js'
import { fileText } from '../secret-files.js'

export type ClusterConfig = NonNullable<Config['cluster']>

/**
 * What can be said of the settings without asking anybody.
 * @throws CommandError
 */
export function checkCluster({ config, origin }: Resolved): void {
  const { cluster, data } = config
  if (!cluster) return
  const place = origin(['cluster'])
  if (data === 'memory') {
    throw new CommandError(
      `${place}: a node of a cluster needs a data folder: with data: memory there is nothing to take over`,
    )
  }
  const { servers, credentialsFile, user, tls } = cluster
  const reachable = servers.find((server) => !isLoopback(new URL(server).hostname.replace(/^\[|\]$/g, '')))
  if (reachable !== undefined && credentialsFile === undefined && user === undefined && tls?.cert === undefined) {
    throw new CommandError(
      `${origin(['cluster', 'servers'])}: ${reachable} is another machine's, and whoever may write the log there owns every session: give cluster.credentialsFile, user and password, or tls.cert`,
    )
  }
}

/** The name of this node. */
export function nodeName({ node }: ClusterConfig): string {
  return (
    node ??
    hostname()
      .split('.')[0]!
      .replace(/[^A-Za-z0-9_-]/g, '-')
  )
}

export function natsOptions({
  servers,
  credentialsFile,
  user,
  password,
  passwordFile,
  tls,
}: ClusterConfig): NatsOptions {
  const ofFile = passwordFile === undefined ? undefined : fileText(passwordFile, 'cluster.passwordFile').trim()
  return {
    servers,
    credentialsFile,
    user,
    password: password ?? ofFile,
    tls: tls && {
      ...(tls.ca !== undefined && { ca: tls.ca }),
      ...(tls.cert !== undefined && { cert: tls.cert }),
      ...(tls.key !== undefined && { key: tls.key }),
    },
  }
}

/**
 * Asks the NATS servers whether a node can rely on them.
 * @param log told when they have just started, and are waited for. Default: nobody is.
 * @throws CommandError when it cannot.
 */
export async function askEngine(settings: Resolved, cluster: ClusterConfig, log?: Logger): Promise<EngineReport> {
  try {
    const { name, monitoring } = cluster
    const report = await inspectEngine({ ...natsOptions(cluster), name, monitoring, ...(log && { log }) })
    if (report.synced !== false || cluster.allowUnsynced) return report
    throw new EngineUnfit(`${report.warnings.at(-1)}; or say cluster.allowUnsynced: true`)
  } catch (error) {
    if (!(error instanceof EngineUnfit)) throw error
    throw new CommandError(`${settings.origin(['cluster', 'servers'])}: ${error.message}`)
  }
}
