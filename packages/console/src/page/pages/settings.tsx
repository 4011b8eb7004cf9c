import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { Setting } from '../answers.js'
import { call, get } from '../api.js'
import { dateTime, duration, plain } from '../format.js'
import { looks } from '../live.js'
import { type Column, DataTable } from '../parts/data-table.js'
import { Page } from '../parts/page.js'
import { asProblem, useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { Search } from '../parts/tools.js'
import { ask, place } from '../router.js'
import { may } from '../session.js'
import { texts } from '../texts.js'
import { BackupList } from './settings-backups.js'

const words = texts.settings

/** What is in force, and what can be done about it. */
export function Settings(): JSX.Element {
  return (
    <Page title={words.title}>
      <div class="stack">
        <div class="two">
          <Certificate />
          {may('admin') && <Reload />}
        </div>
        {may('admin') && <BackupList />}
        <Effective />
        {may('admin') && <Check />}
      </div>
    </Page>
  )
}

function Certificate(): JSX.Element {
  const expiresAt = looks.value.at(-1)?.broker.tlsExpiresAt
  const leftSeconds = expiresAt ? (new Date(expiresAt).getTime() - Date.now()) / 1_000 : 0
  return (
    <section class="panel">
      <h2>{words.certificate}</h2>
      {!expiresAt ? (
        <p class="muted">{words.certificateNone}</p>
      ) : leftSeconds > 0 ? (
        <p>{words.certificateUntil(dateTime(expiresAt), duration(leftSeconds))}</p>
      ) : (
        <p class="bad">{words.certificateOver(dateTime(expiresAt))}</p>
      )}
    </section>
  )
}

interface Reloaded {
  readonly reloaded: readonly string[]
  readonly needsRestart: readonly string[]
}

function Reload(): JSX.Element {
  const answer = useSignal<string | undefined>(undefined)
  const isBad = useSignal(false)
  const reload = async (): Promise<void> => {
    answer.value = undefined
    try {
      const { reloaded, needsRestart } = (await call<Reloaded>('POST', '/reload')).value
      isBad.value = false
      const restart = needsRestart.length > 0 ? ` ${words.needsRestart(needsRestart.join(', '))}` : ''
      answer.value = words.reloaded(reloaded.join(', ')) + restart
    } catch (error) {
      isBad.value = true
      answer.value = asProblem(error).message
    }
  }
  return (
    <section class="panel stack">
      <h2>{words.reload}</h2>
      <p class="muted">{words.reloadText}</p>
      <div class="row">
        <button type="button" class="button" onClick={() => void reload()}>
          {words.reload}
        </button>
      </div>
      <p role="status" class={isBad.value ? 'bad' : undefined}>
        {answer.value}
      </p>
    </section>
  )
}

const columns: readonly Column<Setting>[] = [
  { name: 'name', title: words.columns.name, cell: ({ name }) => <code>{name}</code> },
  { name: 'value', title: words.columns.value, cell: ({ value }) => <span class="mono">{plain(String(value))}</span> },
  { name: 'origin', title: words.columns.origin, cell: ({ origin }) => plain(origin) },
]

function Effective(): JSX.Element {
  const search = place.value.query.get('search') ?? ''
  const isOnlySaid = useSignal(false)
  const source = useRemote(
    '',
    async (signal) => (await get<{ readonly settings: readonly Setting[] }>('/configuration', {}, signal)).settings,
  )
  const isFound = ({ name, value, origin }: Setting): boolean =>
    `${name} ${value} ${origin}`.toLowerCase().includes(search.toLowerCase()) &&
    !(isOnlySaid.value && origin === 'default')
  return (
    <section class="panel stack">
      <h2>{words.effective}</h2>
      <div class="tools">
        <Search label={words.search} value={search} onChange={(text) => ask({ search: text })} />
        <label class="check">
          <input
            type="checkbox"
            checked={isOnlySaid.value}
            onChange={({ currentTarget }) => {
              isOnlySaid.value = currentTarget.checked
            }}
          />
          {words.onlySaid}
        </label>
      </div>
      <Shown of={source}>
        {(settings) => {
          const found = settings.filter(isFound)
          return found.length === 0 ? (
            <State picture="empty" title={texts.state.nothing} />
          ) : (
            <DataTable label={words.effective} columns={columns} rows={found} keyOf={({ name }) => name} />
          )
        }}
      </Shown>
    </section>
  )
}

function Check(): JSX.Element {
  const text = useSignal('')
  const problems = useSignal<readonly string[] | undefined>(undefined)
  const check = async (event: Event): Promise<void> => {
    event.preventDefault()
    try {
      const { value } = await call<{ readonly problems: readonly string[] }>('POST', '/configuration/check', {
        text: text.value,
      })
      problems.value = value.problems
    } catch (error) {
      problems.value = [asProblem(error).message]
    }
  }
  return (
    <section class="panel">
      <details>
        <summary>{words.check}</summary>
        <form class="stack" onSubmit={(event) => void check(event)}>
          <p class="muted">{words.checkText}</p>
          <textarea
            class="mono"
            aria-label={words.check}
            rows={8}
            spellcheck={false}
            value={text.value}
            onInput={({ currentTarget }) => {
              text.value = currentTarget.value
              problems.value = undefined
            }}
          />
          <div class="row">
            <button type="submit" class="button">
              {words.checkAction}
            </button>
          </div>
          <div role="status">
            {problems.value?.length === 0 && <p class="good">{words.checkRight}</p>}
            {problems.value?.map((problem) => (
              <p key={problem} class="bad">
                {plain(problem)}
              </p>
            ))}
          </div>
        </form>
      </details>
    </section>
  )
}
