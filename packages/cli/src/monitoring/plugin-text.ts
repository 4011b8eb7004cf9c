import { Exposition } from '@godwit/broker'

/** Plugins that count. */
export interface Counting {
  /** What each has counted since it began. */
  readonly counts: readonly { readonly plugin: string; readonly name: string; readonly value: number }[]
}

/** What Prometheus reads of plugins. */
export function pluginText({ counts }: Counting): string {
  const series = counts.map(({ plugin, name, value }) => [{ plugin, what: name }, value] as const)
  const help = 'What a plugin has counted since it began, by its name for it.'
  return new Exposition().counter('godwit_plugin_counted_total', help, series).toString()
}
