import type { Broker, ClientView, Page, PageOptions, SessionView, TopicWatch } from '@godwit/broker'

/** What `top` and `trace` ask of a broker. */
export interface InspectedBroker extends Pick<Broker, 'metrics' | 'trace'> {
  readonly clients: Listed<Pick<ClientView, 'clientId' | 'outboxBytes'>>
  readonly sessions: Listed<Pick<SessionView, 'clientId' | 'connected' | 'queued'>>
  readonly subscriptions: Pick<Broker['subscriptions'], 'count'>
  readonly retained: Pick<Broker['retained'], 'count' | 'bytes'>
  watchTopics(): Promise<TopicWatch>
}

/** What is listed, disconnected and deleted besides. */
export type SteeredBroker = Pick<InspectedBroker, 'metrics' | 'trace' | 'watchTopics'> &
  Pick<Broker, 'clients' | 'sessions' | 'subscriptions' | 'retained' | 'disconnect'>

export interface Listed<T> {
  count(): Promise<number>
  page(options: PageOptions): Promise<Page<T>>
}
