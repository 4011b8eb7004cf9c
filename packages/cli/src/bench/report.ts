import type { Progress } from './measurement.js'
import type { BenchResult, BrokerUse } from './result.js'
import type { Percentiles } from './tally.js'

/** A result for people: a headline, and a line for each thing that was measured. */
export function report(result: BenchResult): string {
  const { messagesPerSecond, seconds, latencyMicros, connections, broker } = result
  const lines: [name: string, text: string][] = []
  if (messagesPerSecond !== null) {
    lines.push(['throughput', `${whole(messagesPerSecond)} messages/s over ${seconds.toFixed(1)} s`])
    lines.push(['messages', messagesLine(result)])
  }
  if (latencyMicros) lines.push(['latency', latencyLine(latencyMicros)])
  lines.push(['connecting', connectingLine(connections)])
  if (broker) lines.push(...brokerLines(broker, result))
  return `${headline(result)}\n${lines.map(([name, text]) => `  ${name.padEnd(14)}${text}\n`).join('')}`
}

/** How it goes, on one line. */
export function progressLine({ phase, seconds, connected, messagesPerSecond }: Progress): string {
  const what = phase === 'connecting' ? `${whole(connected)} connected` : `${whole(messagesPerSecond)} messages/s`
  return `${seconds.toFixed(0)} s, ${phase}: ${what}`
}

function headline({
  scenario,
  server,
  version,
  qos,
  size,
  pubs,
  subs,
  rate,
  window,
  workers,
  topics,
  connections,
}: BenchResult): string {
  const who = pubs + subs === 0 ? [plural(connections.count, 'connection')] : []
  if (pubs > 0) who.push(plural(pubs, 'publisher'))
  if (subs > 0) who.push(plural(subs, 'subscriber'))
  if (topics !== null) who.push(plural(topics, 'retained message'))
  if (pubs + subs > 0) who.push(`QoS ${qos}`)
  if (pubs > 0 || topics !== null) who.push(plural(size, 'byte'))
  if (rate !== null) who.push(`${whole(rate)}/s`)
  else if (pubs > 0 || scenario === 'conn') who.push(`window ${window}`)
  return `${scenario} at ${server}: ${[...who, `MQTT ${version}`, plural(workers, 'worker')].join(', ')}`
}

function messagesLine({ scenario, subs, messages }: BenchResult): string {
  const { sent, received, missing, repeated, refused, late } = messages
  if (scenario === 'sub') return `${whole(received)} received`
  const parts = [`${whole(sent)} sent`, `${whole(received)} ${subs > 0 ? 'received' : 'acknowledged'}`]
  if (scenario === 'retained') parts[0] = `${whole(sent)} asked for`
  parts.push(`${whole(missing)} missing`)
  if (repeated > 0) parts.push(`${whole(repeated)} came again`)
  if (refused > 0) parts.push(`${whole(refused)} refused`)
  if (late > 0) parts.push(`${whole(late)} never sent, because the server did not keep up with --rate`)
  return parts.join(', ')
}

function latencyLine({ p50, p90, p99, p999, max }: Percentiles): string {
  return `p50 ${ms(p50)}, p90 ${ms(p90)}, p99 ${ms(p99)}, p99.9 ${ms(p999)}, max ${ms(max)} ms`
}

function connectingLine({ count, perSecond, latencyMicros }: BenchResult['connections']): string {
  const each = latencyMicros ? `; p50 ${ms(latencyMicros.p50)}, p99 ${ms(latencyMicros.p99)} ms` : ''
  return `${plural(count, 'connection')} at ${whole(perSecond)}/s${each}`
}

function brokerLines(broker: BrokerUse, { scenario, connections }: BenchResult): [string, string][] {
  const { cpuMicrosPerMessage, cpuMicrosPerConnection, cpuShare, memoryBytes, memoryBytesPerConnection } = broker
  const message = cpuMicrosPerMessage === null ? '' : `${cpuMicrosPerMessage.toPrecision(3)} µs a message, `
  const connecting = scenario === 'conn' ? `, ${cpuMicrosPerConnection.toFixed(0)} µs a connection made` : ''
  const perConnection =
    connections.count >= 100 ? `; ${(memoryBytesPerConnection / 1000).toFixed(1)} KB a connection` : ''
  return [
    ['broker CPU', `${message}${(cpuShare * 100).toFixed(0)} % of a core${connecting}`],
    [
      'broker memory',
      `${mib(memoryBytes.before)} MiB before, ${mib(memoryBytes.connected)} connected, ${mib(memoryBytes.end)} at the end${perConnection}`,
    ],
  ]
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

function plural(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`
}

function ms(microseconds: number): string {
  return microseconds < 1e6 ? (microseconds / 1000).toPrecision(3) : whole(microseconds / 1000)
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}
