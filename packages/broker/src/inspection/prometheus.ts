import type { AccountsView } from '../accounts.js'
import type { Metrics } from '../metrics.js'
import { version } from '../version.js'
import type { Clients } from './clients.js'
import { Exposition, type Labels } from './exposition.js'
import type { RetainedList } from './retained.js'
import type { Sessions } from './sessions.js'
import type { SubscriptionList } from './subscriptions.js'

/** What is shown of a broker: it is one. */
export interface Exposed {
  metrics(): Promise<Metrics>
  accounts(): Promise<AccountsView>
  readonly clients: Pick<Clients, 'count'>
  readonly sessions: Pick<Sessions, 'count'>
  readonly subscriptions: Pick<SubscriptionList, 'count'>
  readonly retained: Pick<RetainedList, 'count' | 'bytes'>
}

/**
 * The counters of a broker as Prometheus reads them (text format 0.0.4, `text/plain; version=0.0.4`). Series are as many
 * whatever its clients do: no label holds what they say.
 */
export async function prometheusText(broker: Exposed): Promise<string> {
  const text = new Exposition()
  const state = await stateOf(broker)
  addState(text, state)
  addTraffic(text, state.metrics)
  addRefusals(text, state.metrics)
  addCommits(text, state.metrics)
  addStore(text, state.metrics)
  if (state.metrics.forward.isOn) addForward(text, state.metrics)
  return text.toString()
}

/**
 * The same of an edge, while another node serves: what comes in here and is passed on. What clients say and hear is counted where they
 * are served.
 */
export async function edgePrometheusText(edge: Pick<Exposed, 'metrics'>): Promise<string> {
  const text = new Exposition()
  const metrics = await edge.metrics()
  addBuild(text, metrics)
  addNetwork(text, metrics)
  addRefusals(text, metrics)
  addForward(text, metrics)
  return text.toString()
}

/** What there is now. */
interface State {
  readonly metrics: Metrics
  readonly accounts: AccountsView
  readonly clients: number
  readonly sessions: number
  readonly subscriptions: number
  readonly retained: number
  readonly retainedBytes: number
}

async function stateOf(broker: Exposed): Promise<State> {
  const [metrics, accounts, clients, sessions, subscriptions, retained, retainedBytes] = await Promise.all([
    broker.metrics(),
    broker.accounts(),
    broker.clients.count(),
    broker.sessions.count(),
    broker.subscriptions.count(),
    broker.retained.count(),
    broker.retained.bytes(),
  ])
  return { metrics, accounts, clients, sessions, subscriptions, retained, retainedBytes }
}

function addState(text: Exposition, state: State): void {
  const { metrics, accounts } = state
  addBuild(text, metrics)
  text
    .gauge('godwit_clients_connected', 'Clients that are connected.', state.clients)
    .gauge('godwit_sessions', 'Sessions, with and without a connection.', state.sessions)
    .gauge('godwit_subscriptions', 'Subscriptions of all sessions.', state.subscriptions)
    .gauge('godwit_retained_messages', 'Retained messages.', state.retained)
    .gauge('godwit_retained_bytes', 'Bytes that are retained: topics, properties, payloads.', state.retainedBytes)
    .gauge(
      'godwit_queued_messages',
      'Messages in the queues of sessions and shared groups: not sent, or not acknowledged yet.',
      metrics.queued.messages,
    )
    .gauge('godwit_queued_bytes', 'Bytes in those queues: topics, properties, payloads.', metrics.queued.bytes)
    .gauge(
      'godwit_waiting_bytes',
      'Bytes that are not yet committed or not yet answered; bounded by limits.maxWaitingBytes.',
      accounts.waiting.bytes,
    )
    .gauge('godwit_waiting_limit_bytes', 'The most they may be.', accounts.waiting.most)
    .gauge(
      'godwit_stored_bytes',
      'Bytes that are kept, in memory or on disk; bounded by limits.maxStoredBytes.',
      accounts.stored.bytes,
    )
    .gauge('godwit_stored_limit_bytes', 'The most they may be.', accounts.stored.most)
}

function addBuild(text: Exposition, metrics: Metrics): void {
  text.gauge('godwit_build_info', 'Always 1; the version is in the label.', [[{ version }, 1]])
  if (metrics.tlsExpiresAt === undefined) return
  text.gauge(
    'godwit_tls_certificate_expiry_timestamp_seconds',
    'When the first certificate of any listener expires, in seconds since 1970.',
    metrics.tlsExpiresAt / 1000,
  )
}

function addTraffic(text: Exposition, metrics: Metrics): void {
  const { publishReceivedByQos, publishSentByQos, publishBytesReceivedByQos, publishBytesSentByQos } = metrics
  text
    .counter('godwit_messages_received_total', 'PUBLISH packets from clients.', byQos(publishReceivedByQos))
    .counter('godwit_messages_sent_total', 'PUBLISH packets to clients.', byQos(publishSentByQos))
    .counter('godwit_payload_received_bytes_total', 'Bytes of payload from clients.', byQos(publishBytesReceivedByQos))
    .counter('godwit_payload_sent_bytes_total', 'Bytes of payload to clients.', byQos(publishBytesSentByQos))
    .counter('godwit_messages_dropped_total', 'Messages that did not go on, by reason.', by('reason', metrics.dropped))
    .counter('godwit_packets_received_total', 'MQTT packets from clients.', metrics.packetsReceived)
    .counter('godwit_packets_sent_total', 'MQTT packets to clients.', metrics.packetsSent)
  addNetwork(text, metrics)
  text
    .counter('godwit_wills_published_total', 'Wills that were published.', metrics.willsPublished)
    .counter(
      'godwit_stray_acknowledgements_total',
      'Acknowledgements that were not the one their packet id waits for.',
      metrics.strayAcks,
    )
    .counter(
      'godwit_publishers_slowed_total',
      'Times a client was read from later because it had published too much.',
      metrics.publishersSlowed,
    )
}

function addNetwork(text: Exposition, metrics: Metrics): void {
  text
    .counter('godwit_network_received_bytes_total', 'Bytes of MQTT from clients.', metrics.bytesReceived)
    .counter('godwit_network_sent_bytes_total', 'Bytes of MQTT to clients.', metrics.bytesSent)
}

function addForward(text: Exposition, { forward }: Metrics): void {
  text
    .gauge('godwit_forwarded_clients', 'Clients that this node passes on to the one that serves.', forward.clients)
    .gauge(
      'godwit_forward_waiting_clients',
      'Clients that wait for a node that serves, or for a connection to it.',
      forward.waiting,
    )
    .gauge(
      'godwit_forward_buffered_bytes',
      'Bytes that have come from one side and are not taken by the other yet; at most 64 KiB of a client each way.',
      forward.bufferedBytes,
    )
    .counter('godwit_forward_connections_total', 'Connections made to the node that serves.', forward.connections)
    .counter('godwit_forward_failures_total', 'Attempts to make one that failed; each is repeated.', forward.failures)
    .counter(
      'godwit_forward_ended_total',
      'Connections ended because another node serves now; their clients come again.',
      forward.ended,
    )
}

function addRefusals(text: Exposition, metrics: Metrics): void {
  text
    .counter('godwit_connections_accepted_total', 'Connections that were opened.', metrics.connectionsAccepted)
    .counter('godwit_clients_accepted_total', 'CONNECT packets that were let in.', metrics.clientsAccepted)
    .counter('godwit_connections_refused_total', 'Clients turned away, by reason.', by('reason', metrics.refused))
    .counter(
      'godwit_handshakes_refused_total',
      'Connections closed before their first byte of MQTT, by reason.',
      by('reason', metrics.handshakesRefused),
    )
    .counter(
      'godwit_accept_failures_total',
      'Times the system did not hand over a connection: no file descriptor, no memory.',
      metrics.acceptFailures,
    )
    .counter(
      'godwit_subscriptions_refused_total',
      'Filters refused in SUBACK, by reason.',
      by('reason', metrics.subscriptionsRefused),
    )
    .counter(
      'godwit_connections_ended_total',
      'Connections that the broker ended, by reason.',
      by('reason', {
        'protocol-error': metrics.protocolErrors,
        'keep-alive': metrics.keepAliveTimeouts,
        'no-connect': metrics.connectTimeouts,
        'not-drained': metrics.drainTimeouts,
        'taken-over': metrics.takeovers,
      }),
    )
    .counter(
      'godwit_connects_delayed_total',
      'CONNECT packets that waited for the event loop to be in time again.',
      metrics.connectsDelayed,
    )
    .counter(
      'godwit_internal_errors_total',
      'Errors of the broker itself, or of hooks and listeners of the program around it; each is in the log.',
      metrics.internalErrors,
    )
    .counter('godwit_sessions_expired_total', 'Sessions that ended by their expiry.', metrics.sessionsExpired)
}

function addCommits(text: Exposition, { commits }: Metrics): void {
  text
    .histogram('godwit_commit_writes', 'Records written or removed by one commit of the store.', commits.writes)
    .histogram(
      'godwit_commit_latency_seconds',
      'From the first write that a commit gathered until it was on disk: an acknowledgement waited so long at most.',
      commits.latency,
    )
    .histogram(
      'godwit_commit_fsync_seconds',
      'The part of it that the disk took: from when the commit was handed to it until its fsync was over.',
      commits.fsync,
    )
    .counter('godwit_commit_failures_total', 'Attempts to commit that failed; each is repeated.', commits.failures)
    .gauge(
      'godwit_store_failing',
      '1 while the store takes no commits, and nothing is acknowledged; else 0.',
      commits.failing === undefined ? 0 : 1,
    )
}

function addStore(text: Exposition, { store, publishesHeld, bridgedRepeats }: Metrics): void {
  text
    .gauge('godwit_store_live_bytes', 'Bytes of the data file that are in use.', store.liveBytes)
    .gauge('godwit_store_file_bytes', 'Bytes of the data file; what is not in use is used again.', store.fileBytes)
    .gauge(
      'godwit_store_free_bytes',
      'Bytes that can still be written: free on the disk and in the file.',
      store.freeBytes,
    )
    .gauge('godwit_store_reserve_bytes', 'Bytes that stay free: limits.diskReserveBytes.', store.reserveBytes)
    .gauge(
      'godwit_store_low',
      '1 while less is free than the reserve, and what needs room waits or is refused; else 0.',
      store.isLow ? 1 : 0,
    )
    .gauge(
      'godwit_store_silent',
      '1 while nothing has become safe for too long, in a cluster, and what must be kept is refused; else 0.',
      store.isSilent ? 1 : 0,
    )
    .counter(
      'godwit_store_damaged_records_total',
      'Records and messages that could not be read as they were written.',
      store.damagedRecords,
    )
    .counter('godwit_publishes_held_total', 'Publications that had to wait for room on the disk.', publishesHeld)
    .counter(
      'godwit_bridged_repeats_total',
      'Publications that bridges brought again by another way; taken once.',
      bridgedRepeats,
    )
}

function byQos(counts: Float64Array): readonly (readonly [Labels, number])[] {
  return Array.from(counts, (count, qos) => [{ qos: String(qos) }, count] as const)
}

function by(label: string, counts: Readonly<Record<string, number>>): readonly (readonly [Labels, number])[] {
  return Object.entries(counts).map(([value, count]) => [{ [label]: value }, count] as const)
}
