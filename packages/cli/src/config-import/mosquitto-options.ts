import type { Path } from '../config/layers.js'
import type { Draft } from './draft.js'
import type { MosquittoLine } from './mosquitto-lines.js'
import { isTrue } from './mosquitto-listener.js'

/** To what an option belongs: the whole file, the listener above it, or what guards listeners. */
export type Scope = 'global' | 'listener' | 'security' | 'plugin' | 'bridge'

/** What is known of an option of mosquitto.conf(5). */
export interface MosquittoOption {
  readonly scope: Scope
  /** Writes it; left out where the listener's own parts are written together, or its scope is told as one. */
  readonly write?: (draft: Draft, line: MosquittoLine) => void
}

type Write = NonNullable<MosquittoOption['write']>

const needless =
  (why: string): Write =>
  (draft, line) =>
    draft.needsNothing(line, why)

const cannot =
  (why: string): Write =>
  (draft, line) =>
    draft.cannot(line, why)

/** For a boolean one of whose values is what is done here anyway. */
const only =
  (value: boolean, why: string): Write =>
  (draft, line) =>
    isTrue(line) === value ? draft.needsNothing(line, 'that is so') : draft.cannot(line, why)

/** What it is is read with the listener's other parts. */
const oneOf =
  (...words: readonly string[]): Write =>
  (draft, line) => {
    if (!words.includes(line.value)) draft.cannot(line, `it takes ${words.join(', ')}`)
  }

const boolean =
  (...path: Path): Write =>
  (draft, line) =>
    draft.set(path, isTrue(line), line)

/** A number; 0 and below mean "no bound" to mosquitto, and `unbounded` here. */
const count =
  (path: Path, unbounded?: number): Write =>
  (draft, line) => {
    const value = Number(line.value)
    if (!Number.isSafeInteger(value)) draft.cannot(line, 'that is no whole number')
    else if (value > 0) draft.set(path, value, line)
    else if (unbounded !== undefined) draft.set(path, unbounded, line, 'no bound')
    else draft.cannot(line, `every bound is finite here: the default of ${path.join('.')} holds, or write a higher one`)
  }

/** `max_connections` and the like: -1 means that nobody set it. */
const optionalCount =
  (...path: Path): Write =>
  (draft, line) => {
    if (Number(line.value) < 0) draft.needsNothing(line, `the default of ${path.join('.')} holds`)
    else count(path)(draft, line)
  }

const seconds: Readonly<Record<string, number>> = { s: 1, h: 3_600, d: 86_400, w: 604_800, m: 2_592_000, y: 31_536_000 }

const expiration: Write = (draft, line) => {
  const [, amount, unit = ''] = /^(\d+)([shdwmy])$/.exec(line.value) ?? []
  const value = Math.min(Number(amount) * (seconds[unit] ?? Number.NaN), 0xffff_fffe)
  if (!(value > 0)) return draft.cannot(line, 'that is no duration such as 14d')
  draft.set(['limits', 'sessionExpirySeconds'], value, line)
  draft.set(['limits', 'maxSessionExpirySeconds'], value, line)
}

/** The most that a packet adds to its payload: the topic, and the fixed header with packet id. */
const aroundPayload = 65_535 + 16

const messageSize: Write = (draft, line) => {
  const value = Number(line.value)
  if (!(value > 0)) return draft.cannot(line, 'every bound is finite here: limits.maxPacketBytes')
  draft.set(['limits', 'maxPacketBytes'], Math.min(value + aroundPayload, 268_435_460), line, 'payload and topic')
}

const levels: Readonly<Record<string, string>> = {
  error: 'error',
  warning: 'warn',
  notice: 'info',
  information: 'info',
  debug: 'debug',
  subscribe: 'debug',
  unsubscribe: 'debug',
  all: 'debug',
}
const rank = ['debug', 'info', 'warn', 'error']

/** Several lines add up; the most talkative decides. */
const logType: Write = (draft, line) => {
  const level = levels[line.value]
  if (level === undefined) return draft.cannot(line, 'log.level is one of debug, info, warn, error')
  const { log } = draft.values as { log?: { level?: string } }
  if (rank.indexOf(level) < rank.indexOf(log?.level ?? 'error') || !log?.level) draft.set(['log', 'level'], level, line)
}

const logDestination: Write = (draft, line) => {
  const [kind = ''] = line.value.split(/\s+/)
  if (kind === 'stderr' || kind === 'stdout') return draft.needsNothing(line, 'the log goes to stderr')
  const instead: Readonly<Record<string, string>> = {
    file: 'the log goes to stderr; let the service manager keep it (StandardError=append:FILE), or redirect it',
    syslog: 'the log goes to stderr; systemd passes it on to the journal and syslog',
    topic: 'nothing of the log is published; $SYS has the figures',
    none: 'log.level: error is the least',
  }
  draft.cannot(line, instead[kind] ?? 'the log goes to stderr')
}

const versions: Write = (draft, line) => {
  const taken = line.value.split(/[\s,]+/)
  draft.set(['features', 'mqtt31'], taken.includes('3'), line)
  if (!taken.includes('4') || !taken.includes('5')) {
    draft.cannot(line, 'MQTT 3.1.1 and 5.0 are always served; only 3.1 can be switched off')
  }
}

const global = (write: Write): MosquittoOption => ({ scope: 'global', write })
const security = (write?: Write): MosquittoOption => ({ scope: 'security', ...(write && { write }) })
/** Those without `write` are read by `writeListener`. */
const listener = (write?: Write): MosquittoOption => ({ scope: 'listener', ...(write && { write }) })

const disk = needless('what is acknowledged is on disk, always')
const noPsk = cannot('there is no TLS with pre-shared keys; give clients a certificate, or a password over TLS')
const noEngine = cannot('keys come from PEM files')
const retry = needless('messages are sent again when a client comes back, as the standard says')

/** Options told by their group, in one note. */
const groups: Readonly<Record<string, readonly string[]>> = {
  plugin: 'auth_plugin plugin global_plugin plugin_load plugin_use auth_plugin_deny_special_chars'.split(' '),
  bridge: `connection address addresses bridge_alpn bridge_attempt_unsubscribe bridge_bind_address bridge_cafile
    bridge_capath bridge_certfile bridge_ciphers bridge_ciphers_tls1.3 bridge_identity bridge_insecure bridge_keyfile
    bridge_max_packet_size bridge_max_topic_alias bridge_outgoing_retain bridge_protocol_version bridge_psk
    bridge_receive_maximum bridge_reload_type bridge_require_ocsp bridge_session_expiry_interval bridge_tcp_keepalive
    bridge_tcp_user_timeout bridge_tls_use_os_certs bridge_tls_version cleansession clientid idle_timeout
    keepalive_interval local_cleansession local_clientid local_password local_username notification_topic notifications
    notifications_local_only password remote_clientid remote_password remote_username restart_timeout round_robin
    start_type threshold topic try_private username`.split(/\s+/),
}

/** Every option of mosquitto.conf(5), 1.6 to 2.1. */
export const mosquittoOptions: ReadonlyMap<string, MosquittoOption> = new Map<string, MosquittoOption>([
  ...Object.entries(groups).flatMap(([scope, names]) =>
    names.map((name) => [name, { scope: scope as Scope }] as const),
  ),

  // The whole broker
  ['per_listener_settings', global(needless('what it says of listeners stands under each of them'))],
  ['allow_duplicate_messages', global(only(false, 'a message that several subscriptions match comes once'))],
  [
    'check_retain_source',
    global(only(false, 'who published a retained message is not asked again; access rules are asked who receives it')),
  ],
  ['clientid_prefixes', global(cannot('no rule looks at Client Identifiers alone; acl rules may, with client: [...]'))],
  ['connection_messages', global(only(true, 'log.level: warn leaves them out, with all that is less'))],
  ['enable_control_api', global(only(false, 'there are no $CONTROL topics'))],
  ['global_max_clients', global(optionalCount('limits', 'maxSessions'))],
  ['global_max_connections', global(optionalCount('limits', 'maxConnections'))],
  ['max_inflight_bytes', global(needless('limits.maxInflight and limits.maxOutboxBytes bound what is under way'))],
  ['max_inflight_messages', global(count(['limits', 'maxInflight'], 65_535))],
  ['max_keepalive', global(count(['limits', 'maxKeepAliveSeconds'], 0))],
  ['max_packet_size', global(count(['limits', 'maxPacketBytes']))],
  ['max_queued_bytes', global(count(['limits', 'maxQueuedBytes']))],
  ['max_queued_messages', global(count(['limits', 'maxQueuedMessages']))],
  ['memory_limit', global(cannot('queues are on disk; let the service manager bound the process (MemoryMax=)'))],
  ['message_size_limit', global(messageSize)],
  ['persistent_client_expiration', global(expiration)],
  ['pid_file', global(cannot('the service manager knows the process; in a shell, $! does'))],
  ['queue_qos0_messages', global(only(false, 'QoS 0 waits for nobody; publish and subscribe at QoS 1'))],
  ['retain_available', global(boolean('features', 'retainAvailable'))],
  ['retain_expiry_interval', global(cannot('publishers of 5.0 say it with a Message Expiry Interval'))],
  ['retry_interval', global(retry)],
  ['set_tcp_nodelay', global(only(true, 'small packets always leave at once'))],
  ['store_clean_interval', global(needless('there is nothing to clean'))],
  [
    'sys_interval',
    global((draft, line) => {
      const value = Number(line.value)
      if (Number.isSafeInteger(value) && value >= 0) draft.set(['sysIntervalSeconds'], value, line)
      else draft.cannot(line, 'that is no whole number')
    }),
  ],
  [
    'upgrade_outgoing_qos',
    global(only(false, 'the standard forbids it: a message keeps its QoS, or gets a lower one')),
  ],
  ['user', global(cannot('no user is changed: start it as that one (systemd: User=)'))],
  ['packet_buffer_size', global(needless('buffers take care of themselves'))],
  ['websockets_headers_size', global(needless('Node bounds the headers of HTTP at 16 KiB'))],
  ['websockets_log_level', global(needless('log.level holds for WebSocket too'))],

  // What is kept: persistence and persistence_location are written together
  ['persistence', global(() => {})],
  ['retained_persistence', global(() => {})],
  ['persistence_location', global(() => {})],
  ['persistence_file', global(needless('data is a folder, not a file'))],
  ['autosave_interval', global(disk)],
  ['autosave_on_changes', global(disk)],

  // Logs
  ['log_dest', global(logDestination)],
  ['log_facility', global(cannot('the log goes to stderr; systemd says SyslogFacility='))],
  ['log_timestamp', global(only(true, 'every line begins with the time'))],
  ['log_timestamp_format', global(needless('times are as ISO 8601 says, in UTC'))],
  ['log_type', global(logType)],

  // Who may come in: written for each listener, or outside
  ['acl_file', security()],
  ['allow_anonymous', security()],
  ['password_file', security()],
  ['allow_zero_length_clientid', security(boolean('features', 'emptyClientIds'))],
  ['auto_id_prefix', security(cannot('Client Identifiers that the broker gives begin with godwit-'))],
  ['psk_file', security(noPsk)],

  // A listener
  ['accept_protocol_versions', listener(versions)],
  ['bind_address', listener()],
  ['bind_interface', listener(cannot('say the address of that interface as host of the listener'))],
  ['cafile', listener()],
  ['capath', listener(cannot('tls.ca takes one PEM file: put the certificates one after another into it'))],
  ['certfile', listener()],
  ['ciphers', listener()],
  ['ciphers_tls1.3', listener(cannot('the ciphers of TLS 1.3 are those of Node'))],
  ['crlfile', listener()],
  ['dhparamfile', listener(needless('key exchange is by elliptic curves'))],
  ['disable_client_cert_date_checks', listener(only(false, 'a certificate that has expired is refused'))],
  [
    'enable_proxy_protocol',
    listener(
      cannot('say who the proxies are: proxyProtocol: [10.0.0.2]; versions 1 and 2 are understood, from them alone'),
    ),
  ],
  ['http_dir', listener(cannot('there is no web server in it; let a web server serve the files'))],
  ['keyfile', listener()],
  ['listener_allow_anonymous', listener()],
  ['listener_auto_id_prefix', listener(cannot('Client Identifiers that the broker gives begin with godwit-'))],
  ['max_connections', listener()],
  ['max_qos', listener()],
  ['maximum_qos', listener()],
  ['max_topic_alias', listener()],
  ['max_topic_alias_broker', listener(needless('aliases towards a client are as many as it takes, up to a bound'))],
  [
    'mount_point',
    listener(cannot('topics are the same at every listener; access rules can keep clients within a part of them')),
  ],
  ['mptcp', listener(only(false, 'plain TCP is what is spoken'))],
  ['port', listener()],
  ['protocol', listener(oneOf('mqtt', 'websockets', 'http_api'))],
  ['proxy_protocol_v2_require_tls', listener(cannot('what the proxy says about TLS is not looked at'))],
  ['psk_hint', listener(noPsk)],
  ['require_certificate', listener()],
  ['socket_domain', listener(oneOf('ipv4', 'ipv6'))],
  ['tls_engine', listener(noEngine)],
  ['tls_engine_kpass_sha1', listener(noEngine)],
  ['tls_keyform', listener(noEngine)],
  ['tls_version', listener()],
  ['use_identity_as_username', listener()],
  ['use_subject_as_username', listener(only(false, 'a user name comes from CN, or from a DNS or e-mail name'))],
  [
    'use_username_as_clientid',
    listener(only(false, 'Client Identifiers are the clients’ own; access rules may speak of either')),
  ],
  ['websockets_origin', listener()],
])
