import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { texts } from '../texts.js'
import type { Column } from './data-table.js'

/** How long somebody stops typing before the server is asked. */
const restMs = 250

interface SearchProps {
  readonly label: string
  readonly value: string
  readonly onChange: (text: string) => void
}

export function Search({ label, value, onChange }: SearchProps): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  return (
    <label class="field grow">
      <span>{label}</span>
      <input
        type="search"
        value={value}
        onInput={({ currentTarget }) => {
          const text = currentTarget.value // now: the page may be drawn again before it is asked
          clearTimeout(timer.current)
          timer.current = setTimeout(() => onChange(text), restMs)
        }}
      />
    </label>
  )
}

interface PauseProps {
  readonly isPaused: boolean
  readonly onChange: () => void
}

/** Holds a live picture still. */
export function Pause({ isPaused, onChange }: PauseProps): JSX.Element {
  return (
    <button type="button" class="button" aria-pressed={isPaused} onClick={onChange}>
      {isPaused ? texts.goOn : texts.pause}
    </button>
  )
}

interface LiveProps {
  readonly isOpen: boolean
  /** Why it is not. */
  readonly why?: string | undefined
}

/** Whether what is shown follows what happens. */
export function Live({ isOpen, why }: LiveProps): JSX.Element {
  return (
    <span class={isOpen ? 'badge good' : 'badge warn'} role="status">
      {isOpen ? texts.topics.states.connected : (why ?? texts.topics.states.connecting)}
    </span>
  )
}

interface Chosen<Row> {
  readonly all: readonly Column<Row>[]
  readonly names: Signal<readonly string[]>
  /** In their order. */
  readonly columns: readonly Column<Row>[]
}

/** Which columns are shown, kept in this browser. @param key of the table. @param first those that are shown where nobody has chosen. */
export function useColumns<Row>(key: string, all: readonly Column<Row>[], first: readonly string[]): Chosen<Row> {
  const names = useSignal<readonly string[]>(kept(`godwit-columns-${key}`) ?? first)
  useEffect(
    () => names.subscribe((value) => localStorage.setItem(`godwit-columns-${key}`, JSON.stringify(value))),
    [key, names],
  )
  return { all, names, columns: all.filter(({ name }, at) => at === 0 || names.value.includes(name)) }
}

function kept(key: string): readonly string[] | undefined {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(key) ?? '')
    return Array.isArray(found) ? found.filter((name) => typeof name === 'string') : undefined
  } catch {
    return undefined
  }
}

export function ColumnChoice<Row>({ chosen }: { readonly chosen: Chosen<Row> }): JSX.Element {
  const { all, names } = chosen
  return (
    <details class="choice">
      <summary class="button">{texts.table.columns}</summary>
      <div class="panel">
        {all.slice(1).map(({ name, title }) => (
          <label key={name} class="check">
            <input
              type="checkbox"
              checked={names.value.includes(name)}
              onChange={({ currentTarget }) => {
                const others = names.value.filter((one) => one !== name)
                names.value = currentTarget.checked ? [...others, name] : others
              }}
            />
            {title}
          </label>
        ))}
      </div>
    </details>
  )
}
