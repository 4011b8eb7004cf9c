import { type Signal, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { count } from '../format.js'
import { texts } from '../texts.js'

/** The API gives a thousand items at once, and a list that is longer is for a search. */
const steps = [100, 1_000]

interface Longer {
  readonly limit: Signal<number>
  readonly More: (props: { readonly shown: number; readonly next: string | null }) => JSX.Element
}

/** A list that is short at first, and longer when asked for. @param key what is listed: for another, it is short again. */
export function useLonger(key: string): Longer {
  const limit = useSignal(steps[0]!)
  useEffect(() => {
    limit.value = steps[0]!
  }, [key])
  const More: Longer['More'] = ({ shown, next }) => (
    <div class="row">
      <span class="muted">{texts.table.shown(count(shown), next !== null)}</span>
      {next !== null && limit.value < steps.at(-1)! && (
        <button
          type="button"
          class="button small"
          onClick={() => {
            limit.value = steps.at(-1)!
          }}
        >
          {texts.more}
        </button>
      )}
    </div>
  )
  return { limit, More }
}
