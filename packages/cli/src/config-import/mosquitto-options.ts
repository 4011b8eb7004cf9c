import { anyWord, boolean, duration, type Kind, number, own, text, textOnce, word } from './mosquitto-values.js'
import {
  cannot,
  count,
  expiration,
  flag,
  messageSize,
  needless,
  only,
  optionalBound,
  packetSize,
  type Write,
} from './mosquitto-writes.js'

/** To what an option belongs: the whole file, the listener above it, or what guards listeners. */
export type Scope = 'global' | 'listener' | 'security' | 'plugin' | 'bridge'

/** What is known of an option of mosquitto.conf(5). */
interface MosquittoOption {
  readonly scope: Scope
  /** How mosquitto reads its value. */
  readonly kind: Kind
  /** Writes it; left out where it is written together with others, or its scope is told as one. */
  readonly write?: Write
  /**
   * Whether mosquitto 2.0 opens its default listener for it, where it stands above every `listener`. Left out: never.
   * Seen by running 2.0.11.
   */
  readonly opens?: (value: string) => boolean
  /** 2.1 wants a `listener` above it, or does not start; without it, it opens the default listener. */
  readonly needsListener?: true
}

type Rest = Omit<MosquittoOption, 'scope' | 'kind' | 'write'>

const global = (kind: Kind, write?: Write, rest: Rest = {}): MosquittoOption => ({
  scope: 'global',
  kind,
  ...(write && { write }),
  ...rest,
})
/** Those without `write` are written with their listener, or for all. */
const security = (kind: Kind, write?: Write, rest: Rest = {}): MosquittoOption => ({
  ...global(kind, write, rest),
  scope: 'security',
})
const listener = (kind: Kind, write?: Write, rest: Rest = {}): MosquittoOption => ({
  ...global(kind, write, rest),
  scope: 'listener',
})

const always: Rest = { opens: () => true }
const whenTrue: Rest = { opens: (value) => value === 'true' }
const wantsListener: Rest = { needsListener: true }

const disk = needless('what is acknowledged is on disk, always')
const noPsk = cannot('there is no TLS with pre-shared keys; give clients a certificate, or a password over TLS')
const noEngine = cannot('keys come from PEM files')
const noPrefix = cannot('Client Identifiers that the broker gives begin with godwit-')

/** Options told by their group, in one note. */
const groups: Readonly<Record<'plugin' | 'bridge', string>> = {
  plugin: 'auth_plugin plugin global_plugin plugin_load plugin_use auth_plugin_deny_special_chars',
  bridge: `connection address addresses bridge_alpn bridge_attempt_unsubscribe bridge_bind_address bridge_cafile
    bridge_capath bridge_certfile bridge_ciphers bridge_ciphers_tls1.3 bridge_identity bridge_insecure bridge_keyfile
    bridge_max_packet_size bridge_max_topic_alias bridge_outgoing_retain bridge_protocol_version bridge_psk
    bridge_receive_maximum bridge_reload_type bridge_require_ocsp bridge_session_expiry_interval bridge_tcp_keepalive
    bridge_tcp_user_timeout bridge_tls_use_os_certs bridge_tls_version cleansession clientid idle_timeout
    keepalive_interval local_cleansession local_clientid local_password local_username notification_topic notifications
    notifications_local_only password remote_clientid remote_password remote_username restart_timeout round_robin
    start_type threshold topic try_private username`,
}

const grouped = (Object.entries(groups) as [Scope, string][]).flatMap(([scope, names]) =>
  names.split(/\s+/).map((name): [string, MosquittoOption] => [name, { scope, kind: own }]),
)

/** Every option of mosquitto.conf(5), 1.6 to 2.1, but `include_dir`, which is read with the lines. */
export const mosquittoOptions: ReadonlyMap<string, MosquittoOption> = new Map<string, MosquittoOption>([
  ...grouped,

  // The whole broker
  ['per_listener_settings', global(boolean, needless('what it says of listeners stands under each of them'))],
  ['allow_duplicate_messages', global(boolean, only(false, 'a message that several subscriptions match comes once'))],
  [
    'check_retain_source',
    global(
      boolean,
      only(false, 'who published a retained message is not asked again; access rules are asked who receives it'),
    ),
  ],
  [
    'clientid_prefixes',
    global(text, cannot('any Client Identifier comes in; acl rules may be for some, with client: [...]')),
  ],
  ['connection_messages', global(boolean, only(true, 'log.level: warn leaves them out, with all that is less'))],
  ['enable_control_api', global(boolean, only(false, 'there are no $CONTROL topics'))],
  ['global_max_clients', global(number(), optionalBound('limits', 'maxSessions'))],
  ['global_max_connections', global(number(), optionalBound('limits', 'maxConnections'))],
  [
    'max_inflight_bytes',
    global(number(), needless('limits.maxInflight and limits.maxOutboxBytes bound what is under way')),
  ],
  ['max_inflight_messages', global(number(undefined, 65_535), count(['limits', 'maxInflight'], { unbounded: 65_535 }))],
  [
    'max_keepalive',
    global(
      number(0, 65_535),
      count(['limits', 'maxKeepAliveSeconds'], {
        unbounded: 0,
        how: 'a client of 3.1.1 that wants a longer one is refused; mosquitto takes it',
      }),
    ),
  ],
  ['max_packet_size', global(number(20), packetSize)],
  ['max_queued_bytes', global(number(), count(['limits', 'maxQueuedBytes']))],
  ['max_queued_messages', global(number(), count(['limits', 'maxQueuedMessages']))],
  [
    'memory_limit',
    global(number(0), cannot('queues are on disk; let the service manager bound the process (MemoryMax=)')),
  ],
  ['message_size_limit', global(number(0, 268_435_455), messageSize)],
  ['persistent_client_expiration', global(duration, expiration)],
  [
    'pid_file',
    global(textOnce, cannot('the service manager knows the process; godwit reload does without its number')),
  ],
  ['queue_qos0_messages', global(boolean, only(false, 'QoS 0 waits for nobody; publish and subscribe at QoS 1'))],
  ['retain_available', global(boolean, flag('features', 'retainAvailable'))],
  ['retain_expiry_interval', global(number(1), cannot('publishers of 5.0 say it with a Message Expiry Interval'))],
  ['retry_interval', global(own, needless('messages are sent again when a client comes back, as the standard says'))],
  ['set_tcp_nodelay', global(boolean, only(true, 'small packets always leave at once'))],
  ['store_clean_interval', global(own, needless('there is nothing to clean'))],
  [
    'sys_interval',
    global(number(0, 65_535), (draft, line) => draft.set(['sysIntervalSeconds'], Number(line.value), line)),
  ],
  [
    'upgrade_outgoing_qos',
    global(boolean, only(false, 'the standard forbids it: a message keeps its QoS, or gets a lower one')),
  ],
  ['user', global(text, cannot('no user is changed: start it as that one (systemd: User=)'))],
  ['packet_buffer_size', global(number(0, 65_535), needless('buffers take care of themselves'))],
  ['websockets_headers_size', global(number(0, 65_535), needless('Node bounds the headers of HTTP at 16 KiB'))],
  ['websockets_log_level', global(number(), needless('log.level holds for WebSocket too'))],

  // What is kept: persistence and persistence_location are written together
  ['persistence', global(boolean)],
  ['retained_persistence', global(boolean)],
  ['persistence_location', global(textOnce)],
  ['persistence_file', global(textOnce, needless('data is a folder, not a file'))],
  ['autosave_interval', global(number(), disk)],
  ['autosave_on_changes', global(boolean, disk)],

  // Logs: the lines of log_dest, and those of log_type, are written together
  ['log_dest', global(own)],
  ['log_facility', global(number(0, 7), cannot('the log goes to stderr; systemd says SyslogFacility='))],
  ['log_timestamp', global(boolean, only(true, 'every line begins with the time'))],
  ['log_timestamp_format', global(textOnce, needless('times are as ISO 8601 says, in UTC'))],
  [
    'log_type',
    global(
      word(...'none information notice warning error debug subscribe unsubscribe internal websockets all'.split(' ')),
    ),
  ],

  // Who may come in: written for each listener, or outside
  ['acl_file', security(text)],
  ['allow_anonymous', security(boolean)],
  ['password_file', security(text, undefined, always)],
  ['allow_zero_length_clientid', security(boolean, undefined, { opens: (value) => value === 'false' })],
  ['auto_id_prefix', security(textOnce, noPrefix)],
  ['psk_file', security(text, noPsk, always)],

  // A listener
  ['accept_protocol_versions', listener(own, undefined, wantsListener)],
  ['bind_address', listener(text)],
  ['bind_interface', listener(text, undefined, always)],
  ['cafile', listener(text, undefined, { ...always, ...wantsListener })],
  ['capath', listener(text, undefined, always)],
  ['certfile', listener(text, undefined, always)],
  ['ciphers', listener(text, undefined, always)],
  ['ciphers_tls1.3', listener(text, cannot('the ciphers of TLS 1.3 are those of Node'), always)],
  ['crlfile', listener(text, undefined, always)],
  ['dhparamfile', listener(own, needless('key exchange is by elliptic curves'), always)],
  [
    'disable_client_cert_date_checks',
    listener(boolean, only(false, 'a certificate that has expired is refused'), wantsListener),
  ],
  [
    'enable_proxy_protocol',
    listener(
      number(1, 2),
      cannot('say who the proxies are: proxyProtocol: [10.0.0.2]; versions 1 and 2 are understood, from them alone'),
      wantsListener,
    ),
  ],
  ['http_dir', listener(text, cannot('there is no web server in it; let a web server serve the files'), wantsListener)],
  ['keyfile', listener(text, undefined, always)],
  ['listener_allow_anonymous', listener(boolean, undefined, wantsListener)],
  ['listener_auto_id_prefix', listener(text, noPrefix, wantsListener)],
  ['max_connections', listener(number(), undefined, { opens: (value) => Number(value) >= 0 })],
  ['max_qos', listener(number(0, 2), undefined, { opens: (value) => value !== '2' })],
  ['maximum_qos', listener(number(0, 2), undefined, { opens: (value) => value !== '2' })],
  ['max_topic_alias', listener(number(0, 65_535), undefined, wantsListener)],
  [
    'max_topic_alias_broker',
    listener(
      number(0, 65_535),
      needless('aliases towards a client are as many as it takes, up to a bound'),
      wantsListener,
    ),
  ],
  [
    'mount_point',
    listener(
      text,
      cannot('topics are the same at every listener; access rules can keep clients within a part of them'),
      wantsListener,
    ),
  ],
  ['mptcp', listener(boolean, only(false, 'plain TCP is what is spoken'))],
  ['port', listener(number(1, 65_535))],
  ['protocol', listener(word('mqtt', 'websockets', 'http_api'), undefined, { opens: (value) => value !== 'mqtt' })],
  [
    'proxy_protocol_v2_require_tls',
    listener(boolean, only(false, 'what the proxy says about TLS is not looked at'), wantsListener),
  ],
  ['psk_hint', listener(text, undefined, always)],
  ['require_certificate', listener(boolean, undefined, whenTrue)],
  ['socket_domain', listener(word('ipv4', 'ipv6'), undefined, always)],
  ['tls_engine', listener(textOnce, noEngine, always)],
  ['tls_engine_kpass_sha1', listener(textOnce, noEngine, always)],
  [
    'tls_keyform',
    listener(anyWord, (draft, line) => {
      if (line.value === 'engine') noEngine(draft, line)
      else draft.needsNothing(line, 'that is so')
    }),
  ],
  ['tls_version', listener(text, undefined, wantsListener)],
  ['use_identity_as_username', listener(boolean, undefined, whenTrue)],
  ['use_subject_as_username', listener(boolean, undefined, whenTrue)],
  [
    'use_username_as_clientid',
    listener(
      boolean,
      only(false, 'Client Identifiers are the clients’ own; access rules may speak of either'),
      whenTrue,
    ),
  ],
  ['websockets_origin', listener(text, undefined, wantsListener)],
])
