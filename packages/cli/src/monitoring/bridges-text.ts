import { type BridgeView, bridgeDrops } from '@godwit/bridge'
import { Exposition, type Labels } from '@godwit/broker'

/** Bridges, as far as they are shown. */
export interface Bridged {
  readonly views: readonly BridgeView[]
}

/** The counters of bridges as Prometheus reads them; nothing where there are none. */
export function bridgesText({ views }: Bridged): string {
  if (views.length === 0) return ''
  const each = (value: (view: BridgeView) => number): readonly (readonly [Labels, number])[] =>
    views.map((view) => [{ bridge: view.name }, value(view)])
  return new Exposition()
    .gauge(
      'godwit_bridge_connected',
      '1 while the bridge is connected to the other broker.',
      each(({ connected }) => (connected ? 1 : 0)),
    )
    .gauge(
      'godwit_bridge_queued_messages',
      'Messages at QoS 1 and 2 that wait to go out or are on their way.',
      each(({ queued }) => queued),
    )
    .counter(
      'godwit_bridge_messages_out_total',
      'Messages that the other broker has taken.',
      each((view) => view.out),
    )
    .counter(
      'godwit_bridge_messages_in_total',
      'Messages that have come in over the bridge.',
      each((view) => view.in),
    )
    .counter(
      'godwit_bridge_connections_total',
      'Connections made to the other broker.',
      each(({ connections }) => connections),
    )
    .counter(
      'godwit_bridge_lost_sessions_total',
      'How often the other broker had forgotten the session of the bridge.',
      each(({ lostSessions }) => lostSessions),
    )
    .counter(
      'godwit_bridge_dropped_messages_total',
      'Messages that the bridge could not carry, by reason.',
      views.flatMap(({ name, dropped }) =>
        bridgeDrops.map((reason) => [{ bridge: name, reason }, dropped[reason]] as const),
      ),
    )
    .toString()
}
