import type { PluginState } from '@godwit/admin/parts'
import { Exposition, type Labels } from '@godwit/broker'

/** Plugins, as far as they are shown. */
export interface Plugged {
  readonly views: readonly PluginState[]
}

/** What Prometheus reads of plugins. */
export function pluginText({ views }: Plugged): string {
  const counted = views.flatMap(({ name: plugin, counts }) =>
    Object.entries(counts).map(([what, value]) => [{ plugin, what }, value] as const),
  )
  const each = (value: (outlet: PluginState['outlets'][number]) => number): readonly (readonly [Labels, number])[] =>
    views.flatMap(({ name: plugin, outlets }) =>
      outlets.map((outlet) => [{ plugin, session: outlet.clientId }, value(outlet)] as const),
    )
  const text = new Exposition().counter(
    'godwit_plugin_counted_total',
    'What a plugin has counted since it began, by its name for it.',
    counted,
  )
  if (views.every(({ outlets }) => outlets.length === 0)) return text.toString()
  return text
    .gauge(
      'godwit_plugin_waits',
      '1 while messages wait in the session of a plugin, since the destination does not take them; else 0.',
      each(({ problem }) => (problem === undefined ? 0 : 1)),
    )
    .gauge(
      'godwit_plugin_queued_messages',
      'Messages that the destination of a plugin does not have yet.',
      each(({ queued }) => queued),
    )
    .toString()
}
