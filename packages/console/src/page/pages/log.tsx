import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import type { LogLine } from '../answers.js'
import { get } from '../api.js'
import { clockTime, count as countOf, dateTime, plain } from '../format.js'
import { joined } from '../log-lines.js'
import { logged, stream } from '../news.js'
import { Choice } from '../parts/fields.js'
import { Page } from '../parts/page.js'
import { useRemote } from '../parts/remote.js'
import { Shown, State } from '../parts/shown.js'
import { Live, Pause, Search } from '../parts/tools.js'
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
  const paused = useSignal<readonly LogLine[] | undefined>(undefined)
  // What was told before this page was there, and while the stream was not.
  const source = useRemote(
    `${level} ${stream.value.openings}`,
    async (signal) => (await get<{ readonly lines: readonly LogLine[] }>('/log', { count, level }, signal)).lines,
  )
  const shown = (asked: readonly LogLine[]): readonly LogLine[] =>
    paused.value ??
    joined(asked, logged.value.lines).filter((line) => levels.indexOf(line.level) >= levels.indexOf(level))
  return (
    <Page title={words.title}>
      <div class="stack">
        <div class="tools">
          <Search label={words.filter} value={search} onChange={(text) => ask({ search: text })} />
          <Choice
            label={words.level}
            value={level}
            of={words.levels}
            onChange={(one) => {
              paused.value = undefined
              ask({ level: one })
            }}
          />
          <Live isOpen={stream.value.isOpen} />
          <Pause
            isPaused={paused.value !== undefined}
            onChange={() => {
              paused.value = paused.value ? undefined : shown(source.remote.value.value ?? [])
            }}
          />
        </div>
        {logged.value.missed > 0 && <p class="warn">{words.missed(countOf(logged.value.missed))}</p>}
        <Shown of={source}>{(asked) => <Lines lines={shown(asked)} search={search.toLowerCase()} />}</Shown>
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
