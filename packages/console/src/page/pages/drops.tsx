import type { JSX } from 'preact'
import type { DropCount, DropEvent, Drops as Found } from '../answers.js'
import { get } from '../api.js'
import { clockTime, count, plain } from '../format.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { Page } from '../parts/page.js'
import { useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { hrefOf } from '../router.js'
import { texts } from '../texts.js'

const words = texts.drops
const kinds = Object.keys(words.kinds) as DropCount['kind'][]

/** What was dropped and who was refused in the last hour, and why. */
export function Drops(): JSX.Element {
  const source = useRemote('', (signal) => get<Found>('/drops', {}, signal), { everyMs: 5_000 })
  const { value } = source.remote.value
  return (
    <Page title={words.title} note={value && words.note(clockTime(value.since))}>
      <Shown of={source}>
        {(found) =>
          found.counts.length === 0 ? (
            <State picture="empty" title={words.calm}>
              <p class="muted">{words.calmMore}</p>
            </State>
          ) : (
            <All found={found} />
          )
        }
      </Shown>
    </Page>
  )
}

function All({ found }: { readonly found: Found }): JSX.Element {
  return (
    <div class="stack">
      {kinds.map((kind) => (
        <OfKind key={kind} kind={kind} counts={found.counts.filter((one) => one.kind === kind)} />
      ))}
      <ByClient found={found} />
      <section class="stack">
        <h2>{words.last}</h2>
        <DataTable label={words.last} columns={lastColumns} rows={found.last} keyOf={(_, at) => String(at)} />
      </section>
    </div>
  )
}

function OfKind({
  kind,
  counts,
}: {
  readonly kind: DropCount['kind']
  readonly counts: readonly DropCount[]
}): JSX.Element | null {
  if (counts.length === 0) return null
  return (
    <section class="panel">
      <h2>{words.kinds[kind]}</h2>
      <ul class="reasons">
        {[...counts]
          .sort((one, other) => other.count - one.count)
          .map(({ reason, count: times, words: why, settings }) => (
            <li key={reason}>
              <span class="number">{words.times(count(times))}</span>
              <span>
                <code>{reason}</code>
                <span class="why">{why}</span>
                {settings.length > 0 && (
                  <span class="muted">
                    {words.settings}{' '}
                    {settings.map((name, at) => (
                      <>
                        {at > 0 && ', '}
                        <a key={name} href={hrefOf('settings', { search: name })}>
                          {name}
                        </a>
                      </>
                    ))}
                  </span>
                )}
              </span>
            </li>
          ))}
      </ul>
    </section>
  )
}

type OfClient = Found['clients'][number]

const clientColumns: readonly Column<OfClient>[] = [
  {
    name: 'clientId',
    title: words.byClientColumns.clientId,
    cell: ({ clientId }) => (
      <a class="mono" href={hrefOf('sessions', { client: clientId })}>
        {plain(clientId)}
      </a>
    ),
  },
  { name: 'total', title: words.byClientColumns.total, isNumber: true, cell: ({ total }) => count(total) },
  {
    name: 'reasons',
    title: words.byClientColumns.reasons,
    cell: ({ counts }) => counts.map(({ reason, count: times }) => `${reason} ${words.times(count(times))}`).join(', '),
  },
]

function ByClient({ found }: { readonly found: Found }): JSX.Element | null {
  if (found.clients.length === 0) return null
  return (
    <section class="stack">
      <h2>{words.byClient}</h2>
      <DataTable
        label={words.byClient}
        columns={clientColumns}
        rows={found.clients}
        keyOf={({ clientId }) => clientId}
      />
      {found.ofOthers > 0 && <p class="muted">{words.ofOthers(count(found.ofOthers))}</p>}
    </section>
  )
}

const lastColumns: readonly Column<DropEvent>[] = [
  { name: 'at', title: words.lastColumns.at, cell: ({ at }) => clockTime(at) },
  { name: 'kind', title: words.lastColumns.kind, cell: ({ kind }) => words.kind[kind] },
  { name: 'who', title: words.lastColumns.who, cell: ({ clientId, address }) => plain(clientId ?? address ?? '') },
  {
    name: 'words',
    title: words.lastColumns.words,
    cell: ({ words: why, why: more }) => <span title={inFull(why, more)}>{inFull(why, more)}</span>,
  },
  {
    name: 'about',
    title: words.lastColumns.about,
    cell: ({ topic, filter }) => <span class="mono">{plain(topic ?? filter ?? '')}</span>,
  },
]

function inFull(why: string, more: string | null): string {
  return more === null ? why : `${why} ${plain(more)}`
}
