import type { Metrics } from '../metrics.js'

/** What the `$SYS` topics tell beside the counters. */
export interface SysFacts {
  readonly version: string
  readonly uptimeSeconds: number
  readonly clientsConnected: number
  readonly clientsDisconnected: number
  readonly subscriptions: number
  readonly retained: number
}

/** The `$SYS` topics and their values now, under the names mosquitto uses. */
export function sysTopics(facts: SysFacts, metrics: Metrics): readonly (readonly [topic: string, value: string])[] {
  const values: Record<string, string | number> = {
    version: `godwit ${facts.version}`,
    uptime: `${facts.uptimeSeconds} seconds`,
    'clients/connected': facts.clientsConnected,
    'clients/disconnected': facts.clientsDisconnected,
    'clients/total': facts.clientsConnected + facts.clientsDisconnected,
    'clients/expired': metrics.sessionsExpired,
    'messages/received': metrics.packetsReceived,
    'messages/sent': metrics.packetsSent,
    'publish/messages/received': metrics.publishReceived,
    'publish/messages/sent': metrics.publishSent,
    'publish/messages/dropped': metrics.messagesDropped,
    'publish/bytes/received': metrics.publishBytesReceived,
    'publish/bytes/sent': metrics.publishBytesSent,
    'bytes/received': metrics.bytesReceived,
    'bytes/sent': metrics.bytesSent,
    'subscriptions/count': facts.subscriptions,
    'retained messages/count': facts.retained,
  }
  return Object.entries(values).map(([name, value]) => [`$SYS/broker/${name}`, String(value)] as const)
}
