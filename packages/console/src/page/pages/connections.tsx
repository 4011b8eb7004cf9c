import type { JSX } from 'preact'
import type { Bridge, Counts, Outlet, Plugin } from '../answers.js'
import { get } from '../api.js'
import { count, plain, since } from '../format.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { Fact } from '../parts/facts.js'
import { Page } from '../parts/page.js'
import { useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { texts } from '../texts.js'

const words = texts.connections
const everyMs = 2_000

/** What this broker is joined to: other brokers, and what plugins take messages to. */
export function Connections(): JSX.Element {
  return (
    <Page title={words.title}>
      <div class="stack">
        <Bridges />
        <Plugins />
      </div>
    </Page>
  )
}

function Bridges(): JSX.Element {
  const load = (signal: AbortSignal) => get<{ readonly bridges: readonly Bridge[] }>('/bridges', {}, signal)
  const source = useRemote('', load, { everyMs })
  return (
    <section class="stack">
      <h2>{words.bridges}</h2>
      <Shown of={source}>
        {({ bridges }) =>
          bridges.length === 0 ? (
            <State picture="empty" title={words.noBridges}>
              <p class="muted">{words.noBridgesMore}</p>
            </State>
          ) : (
            <DataTable label={words.bridges} columns={bridgeColumns} rows={bridges} keyOf={({ name }) => name} />
          )
        }
      </Shown>
    </section>
  )
}

const bridgeColumns: readonly Column<Bridge>[] = [
  { name: 'name', title: words.columns.name, cell: ({ name }) => <strong>{plain(name)}</strong> },
  {
    name: 'state',
    title: words.columns.state,
    cell: ({ connected }) => (
      <span class={connected ? 'badge good' : 'badge warn'}>{connected ? words.connected : words.away}</span>
    ),
  },
  { name: 'since', title: words.columns.since, cell: (one) => since(one.since) },
  { name: 'queued', title: words.columns.queued, isNumber: true, cell: ({ queued }) => count(queued) },
  { name: 'out', title: words.columns.out, isNumber: true, cell: ({ out }) => count(out) },
  { name: 'in', title: words.columns.in, isNumber: true, cell: (one) => count(one.in) },
  { name: 'dropped', title: words.columns.dropped, cell: ({ dropped }) => droppedInWords(dropped) || '0' },
  {
    name: 'problem',
    title: words.columns.problem,
    cell: ({ problem }) => problem && <span class="warn">{plain(problem)}</span>,
  },
  {
    name: 'server',
    title: words.columns.server,
    cell: ({ server, version }) => server && words.server(plain(server), version ?? ''),
  },
  { name: 'lost', title: words.columns.lostSessions, isNumber: true, cell: ({ lostSessions }) => count(lostSessions) },
]

function droppedInWords(dropped: Counts): string {
  return Object.entries(dropped)
    .filter(([, times]) => times > 0)
    .map(([reason, times]) => words.dropped(count(times), reason))
    .join(', ')
}

function Plugins(): JSX.Element {
  const load = (signal: AbortSignal) => get<{ readonly plugins: readonly Plugin[] }>('/plugins', {}, signal)
  const source = useRemote('', load, { everyMs })
  return (
    <section class="stack">
      <h2>{words.plugins}</h2>
      <Shown of={source}>
        {({ plugins }) =>
          plugins.length === 0 ? (
            <State picture="empty" title={words.noPlugins}>
              <p class="muted">{words.noPluginsMore}</p>
            </State>
          ) : (
            plugins.map((plugin) => <OnePlugin key={plugin.name} plugin={plugin} />)
          )
        }
      </Shown>
    </section>
  )
}

function OnePlugin({ plugin }: { readonly plugin: Plugin }): JSX.Element {
  const { name, module, authenticates, counts, outlets } = plugin
  const counted = Object.entries(counts).map(([what, value]) => `${plain(what)} ${count(value)}`)
  return (
    <section class="panel stack">
      <h3>{plain(name)}</h3>
      {outlets.length > 0 && (
        <DataTable
          label={`${plain(name)}: ${words.outlet.session}`}
          columns={outletColumns}
          rows={outlets}
          keyOf={({ clientId }) => clientId}
        />
      )}
      <dl class="facts">
        <Fact title={words.module}>
          <span class="mono">{plain(module)}</span>
        </Fact>
        <Fact title={words.runsFor}>{since(plugin.since)}</Fact>
        <Fact title={words.decides}>{authenticates ? texts.yes : texts.no}</Fact>
        {counted.length > 0 && <Fact title={words.counted}>{counted.join(', ')}</Fact>}
      </dl>
    </section>
  )
}

const outletColumns: readonly Column<Outlet>[] = [
  {
    name: 'state',
    title: words.outlet.state,
    cell: ({ problem }) => (
      <span class={problem === null ? 'badge good' : 'badge warn'}>
        {problem === null ? words.going : words.waiting}
      </span>
    ),
  },
  { name: 'since', title: words.outlet.since, cell: (one) => since(one.since) },
  { name: 'queued', title: words.outlet.queued, isNumber: true, cell: ({ queued }) => count(queued) },
  { name: 'written', title: words.outlet.written, isNumber: true, cell: ({ written }) => count(written) },
  { name: 'failed', title: words.outlet.failed, isNumber: true, cell: ({ failed }) => count(failed) },
  { name: 'refused', title: words.outlet.refused, isNumber: true, cell: ({ refused }) => count(refused) },
  {
    name: 'problem',
    title: words.outlet.problem,
    cell: ({ problem }) => problem && <span class="warn">{plain(problem)}</span>,
  },
  { name: 'session', title: words.outlet.session, cell: ({ clientId }) => <span class="mono">{plain(clientId)}</span> },
]
