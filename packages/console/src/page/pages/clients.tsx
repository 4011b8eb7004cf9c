import type { JSX } from 'preact'
import type { Client, ClientWithDrops } from '../answers.js'
import { call, get } from '../api.js'
import { bytes, count, dateTime, plain, since } from '../format.js'
import { AskingButton } from '../parts/asking-button.js'
import type { Column } from '../parts/data-table.js'
import { Dialog } from '../parts/dialog.js'
import { Facts } from '../parts/facts.js'
import { Choice } from '../parts/fields.js'
import { useList } from '../parts/list-page.js'
import { Page } from '../parts/page.js'
import { useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { doing } from '../parts/toasts.js'
import { ColumnChoice, Search, useColumns } from '../parts/tools.js'
import { ask, hrefOf, place } from '../router.js'
import { may } from '../session.js'
import { texts } from '../texts.js'

const words = texts.clients
const everyMs = 5_000
const orders: Readonly<Record<string, string>> = {
  '': words.presets.name,
  '-outboxBytes': words.presets.slowest,
  '-queued': words.presets.deepest,
  '-connectedAt': words.presets.newest,
}

const columns: readonly Column<Client>[] = [
  {
    name: 'clientId',
    title: words.columns.clientId,
    cell: ({ clientId }) => (
      <button type="button" class="linkish mono" onClick={() => ask({ client: clientId })}>
        {plain(clientId)}
      </button>
    ),
  },
  {
    name: 'username',
    title: words.columns.username,
    sort: 'username',
    cell: ({ username }) => (username === null ? <span class="muted">{words.anonymous}</span> : plain(username)),
  },
  { name: 'address', title: words.columns.address, sort: 'address', cell: ({ address }) => plain(address) },
  { name: 'transport', title: words.columns.transport, cell: ({ transport }) => transport },
  {
    name: 'version',
    title: words.columns.version,
    cell: ({ version, bridge }) => (bridge ? `${version}, ${words.bridge}` : version),
  },
  {
    name: 'connectedAt',
    title: words.columns.connectedAt,
    sort: 'connectedAt',
    isNumber: true,
    cell: ({ connectedAt }) => <span title={dateTime(connectedAt)}>{since(connectedAt)}</span>,
  },
  {
    name: 'subscriptions',
    title: words.columns.subscriptions,
    sort: 'subscriptions',
    isNumber: true,
    cell: ({ subscriptions }) => count(subscriptions),
  },
  {
    name: 'inflight',
    title: words.columns.inflight,
    sort: 'inflight',
    isNumber: true,
    cell: ({ inflight }) => count(inflight),
  },
  { name: 'queued', title: words.columns.queued, sort: 'queued', isNumber: true, cell: ({ queued }) => count(queued) },
  {
    name: 'outboxBytes',
    title: words.columns.outboxBytes,
    sort: 'outboxBytes',
    isNumber: true,
    cell: ({ outboxBytes }) => bytes(outboxBytes),
  },
  {
    name: 'keepAliveSeconds',
    title: words.columns.keepAliveSeconds,
    isNumber: true,
    cell: ({ keepAliveSeconds }) => (keepAliveSeconds === 0 ? texts.none : `${keepAliveSeconds} s`),
  },
  {
    name: 'cleanStart',
    title: words.columns.cleanStart,
    cell: ({ cleanStart }) => (cleanStart ? texts.yes : texts.no),
  },
  { name: 'listener', title: words.columns.listener, cell: ({ listener }) => plain(listener ?? texts.none) },
  {
    name: 'tls',
    title: words.columns.tls,
    cell: ({ tls }) =>
      tls === null ? <span class="muted">{words.withoutTls}</span> : `${tls.protocol}, ${tls.cipher}`,
  },
  {
    name: 'certificate',
    title: words.columns.certificate,
    cell: ({ certificate }) =>
      certificate === null ? (
        <span class="muted">{words.noCertificate}</span>
      ) : (
        <span title={certificate.fingerprint}>{plain(certificate.subject)}</span>
      ),
  },
]
const shownFirst = [
  'clientId',
  'username',
  'address',
  'transport',
  'version',
  'connectedAt',
  'subscriptions',
  'inflight',
  'queued',
  'outboxBytes',
]

/** Who is connected. */
export function Clients(): JSX.Element {
  const { query } = place.value
  const search = query.get('search') ?? ''
  const sort = query.get('sort') ?? ''
  const client = query.get('client')
  const chosen = useColumns('clients', columns, shownFirst)
  const { source, list } = useList<Client>({
    label: words.title,
    path: '/clients',
    query: { search: search || undefined },
    columns: chosen.columns,
    keyOf: ({ clientId }) => clientId,
    empty: search === '' ? words.empty : words.emptySearch,
    sort,
    onSort: (by) => ask({ sort: by }),
    everyMs,
  })
  return (
    <Page title={words.title}>
      <div class="stack">
        <div class="tools">
          <Search label={words.search} value={search} onChange={(text) => ask({ search: text })} />
          <Choice
            label={words.order}
            value={sort in orders ? sort : ''}
            of={orders}
            onChange={(by) => ask({ sort: by })}
          />
          <ColumnChoice chosen={chosen} />
        </div>
        {list(source)}
      </div>
      {client !== null && <Detail clientId={client} onGone={source.reload} />}
    </Page>
  )
}

function Detail({ clientId, onGone }: { readonly clientId: string; readonly onGone: () => void }): JSX.Element {
  const source = useRemote(clientId, (signal) => get<ClientWithDrops>('/client', { clientId }, signal), { everyMs })
  const close = (): void => ask({ client: undefined })
  const kick = async (): Promise<void> => {
    const isDone = await doing(
      () => call('POST', '/client/disconnect', { query: { clientId }, body: {} }),
      words.kicked(plain(clientId)),
    )
    if (!isDone) return
    close()
    onGone()
  }
  const { problem } = source.remote.value
  return (
    <Dialog title={`${words.detail} ${plain(clientId)}`} onClose={close}>
      {problem?.status === 404 ? (
        <State picture="empty" title={words.gone} />
      ) : (
        <Shown of={source}>{(client) => <ClientFacts client={client} />}</Shown>
      )}
      <div class="buttons">
        <a class="button" href={hrefOf('sessions', { client: clientId })}>
          {words.sessionOf}
        </a>
        <a class="button" href={hrefOf('subscriptions', { client: clientId })}>
          {words.subscriptionsOf}
        </a>
        {may('operator') && (
          <a class="button" href={hrefOf('trace', { client: clientId })}>
            {words.trace}
          </a>
        )}
        {may('operator') && (
          <AskingButton
            label={words.kick}
            title={words.kickTitle(plain(clientId))}
            text={words.kickText}
            onConfirm={kick}
          />
        )}
      </div>
    </Dialog>
  )
}

function ClientFacts({ client }: { readonly client: ClientWithDrops }): JSX.Element {
  return (
    <>
      <Facts columns={columns} row={client} />
      {client.dropped.length > 0 && (
        <section>
          <h3>{words.dropped}</h3>
          <ul class="reasons">
            {client.dropped.map(({ reason, count: times, words: why }) => (
              <li key={reason}>
                <span class="number">{texts.drops.times(count(times))}</span>
                <span>
                  <code>{reason}</code> {why}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}
