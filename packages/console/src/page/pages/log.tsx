import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { LogLine } from '../answers.js'
import { get } from '../api.js'
import { clockTime, dateTime, plain } from '../format.js'
import { Page } from '../parts/page.js'
import { useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { Search } from '../parts/tools.js'
import { ask, place } from '../router.js'
import { texts } from '../texts.js'

const words = texts.log
const levels = ['debug', 'info', 'warn', 'error'] as const
const count = 500

/** What the broker tells of its work, the newest first. */
export function Log(): JSX.Element {
  const { query } = place.value
  const level = levels.find((one) => one === query.get('level')) ?? 'info'
  const search = query.get('search') ?? ''
  const isPaused = useSignal(false)
  const source = useRemote(
    `${level} ${isPaused.value}`,
    async (signal) => (await get<{ readonly lines: readonly LogLine[] }>('/log', { count, level }, signal)).lines,
    isPaused.value ? {} : { everyMs: 2_000 },
  )
  return (
    <Page title={words.title}>
      <div class="stack">
        <div class="tools">
          <Search label={words.filter} value={search} onChange={(text) => ask({ search: text })} />
          <label class="field">
            <span>{words.level}</span>
            <select value={level} onChange={({ currentTarget }) => ask({ level: currentTarget.value })}>
              {levels.map((one) => (
                <option key={one}>{words.levels[one]}</option>
              ))}
            </select>
          </label>
          <button
            type="button"
            class="button"
            aria-pressed={isPaused.value}
            onClick={() => {
              isPaused.value = !isPaused.value
            }}
          >
            {isPaused.value ? words.goOn : words.pause}
          </button>
        </div>
        <Shown of={source}>{(lines) => <Lines lines={lines} search={search.toLowerCase()} />}</Shown>
      </div>
    </Page>
  )
}

function Lines({ lines, search }: { readonly lines: readonly LogLine[]; readonly search: string }): JSX.Element {
  const found = lines.filter(({ message, fields }) =>
    `${message} ${JSON.stringify(fields)}`.toLowerCase().includes(search),
  )
  if (found.length === 0) return <State picture="empty" title={words.empty} />
  return (
    <ol class="panel log">
      {found.toReversed().map(({ at, level, message, fields }, n) => (
        <li key={`${at} ${n}`}>
          <time title={dateTime(at)}>{clockTime(at)}</time>
          <span class={level === 'error' ? 'badge bad' : level === 'warn' ? 'badge warn' : 'badge'}>
            {words.levels[level]}
          </span>
          <span>
            {plain(message)}{' '}
            <span class="muted mono">
              {Object.entries(fields)
                .map(([name, value]) => `${name}=${plain(String(value))}`)
                .join(' ')}
            </span>
          </span>
        </li>
      ))}
    </ol>
  )
}
