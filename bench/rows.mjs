// The rows of the comparison. The first ones matter most.

/** @typedef {'cpu_us_per_msg' | 'p50_us' | 'p99_us' | 'bytes_per_conn' | 'cpu_us_per_connect'} Metric Less is better. */
/** @typedef {'tcp' | 'tls' | 'ws' | 'wss'} Over How clients reach the broker. */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {Over} over
 * @property {string} scenario Of `godwit bench`, or `handshakes` of handshakes.mjs.
 * @property {string} options Those that all load generators understand.
 * @property {readonly [Metric, ...Metric[]]} metrics What is compared.
 * @property {readonly string[]} beside The contestants besides godwit.
 */

/** What the metrics are called where people read them. */
export const metricNames = {
  cpu_us_per_msg: 'broker CPU a delivered message, µs',
  p50_us: 'median latency, µs',
  p99_us: '99th percentile of latency, µs',
  bytes_per_conn: 'memory a connection (RssAnon), bytes',
  cpu_us_per_connect: 'broker CPU a connection made, µs',
}

const brokers = ['mosquitto', 'aedes']
/** aedes closes connections at QoS 2 once packet ids are used again, and keeps sessions in memory only. */
const mosquittoAlone = ['mosquitto']
/** @type {Row['metrics']} */
const ofConnections = ['bytes_per_conn', 'cpu_us_per_connect']

/**
 * @param {string} name
 * @param {string} load Scenario and options.
 * @param {readonly string[]} beside
 * @param {Row['metrics']} metrics
 * @param {Over} over
 * @returns {Row}
 */
function row(name, load, beside = brokers, metrics = ['cpu_us_per_msg'], over = 'tcp') {
  const [scenario = '', ...options] = load.split(' ')
  return { name, over, scenario, options: options.join(' '), beside, metrics }
}

/** Over TCP alone. @type {readonly Row[]} */
export const rows = [
  row('pipe-qos0', 'pipe --qos 0'),
  row('pipe-qos1', 'pipe --qos 1'),
  row('pipe-qos2', 'pipe --qos 2', mosquittoAlone),
  row('pipe-16k', 'pipe --qos 0 --size 16384 --window 100'),
  row('fan-out-qos0', 'fanout --pubs 1 --subs 1000 --window 20 --qos 0'),
  row('fan-out-qos1', 'fanout --pubs 1 --subs 1000 --window 20 --qos 1'),
  row('fan-in', 'fanin --pubs 500 --subs 1 --window 1 --qos 1'),
  row('p2p-500', 'p2p --pubs 500 --subs 500 --window 1 --qos 1', ['floor', ...brokers]),
  row('p2p-500-qos0', 'p2p --pubs 500 --subs 500 --window 1 --qos 0', ['floor', ...brokers]),
  row('p2p-50', 'p2p --pubs 50 --subs 50 --window 100 --qos 1'),
  row('durable-qos1', 'pipe --qos 1 --clean 0', mosquittoAlone),
  row('durable-qos2', 'pipe --qos 2 --clean 0', mosquittoAlone),
  row('paced', 'p2p --rate 2000 --pubs 10 --subs 10 --qos 1', brokers, ['p50_us', 'p99_us', 'cpu_us_per_msg']),
  row('warm-paced', 'p2p --rate 2000 --pubs 10 --subs 10 --qos 1 --warmup 6', brokers, ['p50_us', 'p99_us']),
  row('idle', 'conn --clients 15000 --window 400 --workers 1', ['floor', ...brokers], ofConnections),
]

/** As fleets and web pages come: over TLS, WebSocket and both. @type {readonly Row[]} */
export const wrappedRows = [
  ...rowsOver('tls', ['floor', ...brokers]),
  row('tls1.2-connect', 'handshakes --tls 1.2', ['floor', ...brokers], ['cpu_us_per_connect'], 'tls'),
  row('tls1.2-resume', 'handshakes --tls 1.2 --resume', ['floor', ...brokers], ['cpu_us_per_connect'], 'tls'),
  ...rowsOver('ws', brokers),
  ...rowsOver('wss', brokers),
]

/**
 * @param {Exclude<Over, 'tcp'>} over
 * @param {readonly string[]} beside The floor speaks no WebSocket.
 * @returns {readonly Row[]}
 */
function rowsOver(over, beside) {
  const isTls = over !== 'ws'
  return [
    row(`${over}-p2p-500-qos0`, 'p2p --pubs 500 --subs 500 --window 1 --qos 0', beside, ['cpu_us_per_msg'], over),
    row(`${over}-p2p-500-qos1`, 'p2p --pubs 500 --subs 500 --window 1 --qos 1', beside, ['cpu_us_per_msg'], over),
    row(`${over}-connect`, 'handshakes', beside, ['cpu_us_per_connect'], over),
    ...(isTls ? [row(`${over}-resume`, 'handshakes --resume', beside, ['cpu_us_per_connect'], over)] : []),
    row(`${over}-idle`, 'conn --clients 4000 --window 100 --workers 1', beside, ofConnections, over),
  ]
}

/** Where releases of Node differ. @type {readonly Row[]} */
export const nodeRows = selectRows(rows, ['pipe-qos0', 'pipe-qos1', 'fan', 'p2p-500'])

/**
 * Those rows whose names begin with one of the given words, in the order of the table; all without words.
 * @param {readonly Row[]} among
 * @param {readonly string[]} words
 */
export function selectRows(among, words) {
  const chosen = among.filter(({ name }) => words.length === 0 || words.some((word) => name.startsWith(word)))
  if (chosen.length === 0)
    throw new Error(`no row begins with ${words.join(' or ')}: ${among.map(({ name }) => name).join(' ')}`)
  return chosen
}
