import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { Problem } from '../api.js'
import { type Batch, follow } from '../follow.js'
import { bytes, count, plain } from '../format.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { TextField } from '../parts/fields.js'
import { Page } from '../parts/page.js'
import { Failed, State } from '../parts/shown.js'
import { Live, Pause, Search } from '../parts/tools.js'
import { ask, place } from '../router.js'
import { may } from '../session.js'
import { texts } from '../texts.js'

const words = texts.trace
/** More packets are not kept: the oldest go. */
const mostPackets = 5_000

interface Traced {
  readonly at: string
  readonly clientId: string | null
  readonly address: string
  readonly direction: 'in' | 'out'
  readonly packet: { readonly type: string } & Readonly<Record<string, unknown>>
}

interface Kept extends Traced {
  readonly id: number
}

/** The packets of a client or a topic, as they come and go. */
export function Trace(): JSX.Element {
  return (
    <Page title={words.title} note={words.note}>
      {may('operator') ? <Tracing /> : <Failed problem={new Problem(403, 'forbidden', '')} />}
    </Page>
  )
}

function Tracing(): JSX.Element {
  const { query } = place.value
  const client = query.get('client') ?? ''
  const topic = query.get('topic') ?? ''
  const isAsked = client !== '' || topic !== ''
  return (
    <div class="stack">
      <Which key={`${client}\n${topic}`} client={client} topic={topic} />
      {isAsked ? (
        <Packets key={`${client}\n${topic}`} client={client} topic={topic} />
      ) : (
        <State picture="empty" title={words.choose}>
          <p class="muted">{words.chooseMore}</p>
        </State>
      )}
    </div>
  )
}

function Which({ client, topic }: { readonly client: string; readonly topic: string }): JSX.Element {
  const asked = useSignal({ client, topic })
  return (
    <form
      class="panel tools"
      onSubmit={(event) => {
        event.preventDefault()
        ask(asked.value)
      }}
    >
      <div class="grow">
        <TextField
          label={words.client}
          value={asked.value.client}
          onChange={(value) => {
            asked.value = { ...asked.value, client: value }
          }}
        />
      </div>
      <div class="grow">
        <TextField
          label={words.topic}
          value={asked.value.topic}
          isMono
          onChange={(value) => {
            asked.value = { ...asked.value, topic: value }
          }}
        />
      </div>
      <button type="submit" class="button main">
        {words.begin}
      </button>
      {(client !== '' || topic !== '') && (
        <button type="button" class="button" onClick={() => ask({ client: undefined, topic: undefined })}>
          {words.end}
        </button>
      )}
    </form>
  )
}

const columns: readonly Column<Kept>[] = [
  { name: 'at', title: words.columns.at, cell: ({ at }) => <span class="mono">{at.slice(11, 23)}</span> },
  { name: 'client', title: words.columns.client, cell: ({ clientId, address }) => plain(clientId ?? `[${address}]`) },
  {
    name: 'direction',
    title: words.columns.direction,
    cell: ({ direction }) => (direction === 'in' ? words.in : words.out),
  },
  { name: 'type', title: words.columns.type, cell: ({ packet }) => <code>{packet.type.toUpperCase()}</code> },
  {
    name: 'fields',
    title: words.columns.fields,
    cell: ({ packet }) => (
      <span class="mono" title={fieldsOf(packet)}>
        {fieldsOf(packet)}
      </span>
    ),
  },
]

function fieldsOf({ type: _, payloadBytes, ...fields }: Traced['packet']): string {
  const shown = Object.entries(fields)
    .filter(([, value]) => value !== false)
    .map(([name, value]) =>
      value === true ? name : `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`,
    )
  return plain([...shown, ...(typeof payloadBytes === 'number' ? [bytes(payloadBytes)] : [])].join(' '))
}

function Packets({ client, topic }: { readonly client: string; readonly topic: string }): JSX.Element {
  const packets = useSignal<readonly Kept[]>([])
  const missed = useSignal(0)
  const state = useSignal<{ readonly isOpen: boolean; readonly why: string | undefined }>({
    isOpen: false,
    why: undefined,
  })
  const filter = useSignal('')
  const isPaused = useSignal(false)
  const next = useRef(0)
  useEffect(
    () =>
      follow(
        { traceClientId: client || undefined, traceTopic: topic || undefined },
        {
          onState: (isOpen, why) => {
            state.value = { isOpen, why }
          },
          onBatch: (_, batch) => {
            const { items, missed: more } = batch as Batch<Traced>
            missed.value += more
            if (isPaused.peek()) return
            const kept = items.map((one) => ({ ...one, id: next.current++ })).reverse()
            packets.value = [...kept, ...packets.peek()].slice(0, mostPackets)
          },
        },
      ),
    [client, topic, packets, missed, state, isPaused],
  )
  const wanted = filter.value.toLowerCase()
  const found =
    wanted === '' ? packets.value : packets.value.filter((one) => JSON.stringify(one).toLowerCase().includes(wanted))
  return (
    <>
      <div class="tools">
        <Search
          label={words.filter}
          value={filter.value}
          onChange={(text) => {
            filter.value = text
          }}
        />
        <Live isOpen={state.value.isOpen} why={state.value.why} />
        <Pause
          isPaused={isPaused.value}
          onChange={() => {
            isPaused.value = !isPaused.value
          }}
        />
        <button type="button" class="button" disabled={found.length === 0} onClick={() => download(found)}>
          {words.download}
        </button>
      </div>
      {missed.value > 0 && <p class="warn">{words.missed(count(missed.value))}</p>}
      {found.length === 0 ? (
        <State picture="empty" title={words.waiting} />
      ) : (
        <DataTable label={words.title} columns={columns} rows={found} keyOf={({ id }) => String(id)} />
      )}
    </>
  )
}

/** As lines of JSON, the oldest first. */
function download(packets: readonly Kept[]): void {
  const lines = packets.toReversed().map(({ id: _, ...one }) => `${JSON.stringify(one)}\n`)
  const url = URL.createObjectURL(new Blob(lines, { type: 'application/x-ndjson' }))
  const link = document.createElement('a')
  link.href = url
  link.download = 'godwit-trace.ndjson'
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
