import type { Broker, ClientView, Page, PageOptions, SessionView, TopicWatch } from '@godwit/broker'

/** What the control socket asks of a broker. */
export interface InspectedBroker extends Pick<Broker, 'metrics' | 'trace'> {
  readonly clients: Listed<Pick<ClientView, 'clientId' | 'outboxBytes'>>
  readonly sessions: Listed<Pick<SessionView, 'clientId' | 'connected' | 'queued'>>
  readonly subscriptions: Pick<Broker['subscriptions'], 'count'>
  readonly retained: Pick<Broker['retained'], 'count' | 'bytes'>
  watchTopics(): Promise<TopicWatch>
}

export interface Listed<T> {
  count(): Promise<number>
  page(options: PageOptions): Promise<Page<T>>
}
