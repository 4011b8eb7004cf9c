// The rows of the comparison, as options of the load generator. The first ones matter most.

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} load What the load generator does, beyond port, process id and seconds.
 * @property {'cpu_us_per_msg' | 'bytes_per_conn' | 'p99_us'} metric What is compared; less is better.
 */

/** What the metrics are called where people read them. */
export const metricNames = {
  cpu_us_per_msg: 'broker CPU a delivered message, µs',
  bytes_per_conn: 'memory a connection, bytes',
  p99_us: '99th percentile of latency, µs',
}

/** @type {readonly Row[]} */
export const rows = [
  { name: 'pipe-qos0', load: '--qos 0', metric: 'cpu_us_per_msg' },
  { name: 'pipe-qos1', load: '--qos 1', metric: 'cpu_us_per_msg' },
  { name: 'pipe-qos2', load: '--qos 2', metric: 'cpu_us_per_msg' },
  { name: 'pipe-16k', load: '--qos 0 --size 16384 --window 100', metric: 'cpu_us_per_msg' },
  { name: 'fan-out-qos0', load: '--shape fanout --pubs 1 --subs 1000 --window 20 --qos 0', metric: 'cpu_us_per_msg' },
  { name: 'fan-out-qos1', load: '--shape fanout --pubs 1 --subs 1000 --window 20 --qos 1', metric: 'cpu_us_per_msg' },
  { name: 'fan-in', load: '--shape fanin --pubs 500 --subs 1 --window 1 --qos 1', metric: 'cpu_us_per_msg' },
  { name: 'p2p-500', load: '--shape p2p --pubs 500 --subs 500 --window 1 --qos 1', metric: 'cpu_us_per_msg' },
  { name: 'p2p-50', load: '--shape p2p --pubs 50 --subs 50 --window 100 --qos 1', metric: 'cpu_us_per_msg' },
  { name: 'durable-qos1', load: '--qos 1 --clean 0', metric: 'cpu_us_per_msg' },
  { name: 'durable-qos2', load: '--qos 2 --clean 0', metric: 'cpu_us_per_msg' },
  { name: 'paced', load: '--rate 2000 --pubs 10 --subs 10 --shape p2p --qos 1', metric: 'p99_us' },
  { name: 'idle', load: '--idle 15000', metric: 'bytes_per_conn' },
]

/**
 * The rows whose names begin with one of the given words, in the order of the table; all without words.
 * @param {readonly string[]} words
 */
export function selectRows(words) {
  const chosen = rows.filter(({ name }) => words.length === 0 || words.some((word) => name.startsWith(word)))
  if (chosen.length === 0)
    throw new Error(`no row begins with ${words.join(' or ')}: ${rows.map(({ name }) => name).join(' ')}`)
  return chosen
}
