import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { plain } from '../format.js'
import { Curve } from '../parts/curve.js'
import { texts } from '../texts.js'
import { type Form, read } from './decode.js'
import type { Value } from './topic-tree.js'

const words = texts.topics

interface ValueCurveProps {
  readonly topic: string
  readonly form: Form
  readonly values: readonly Value[]
}

interface Point {
  readonly at: number
  readonly numbers: ReadonlyMap<string, number>
}

/** Values are decoded once. */
const known = new WeakMap<Value, Promise<ReadonlyMap<string, number>>>()
const nothing: ReadonlyMap<string, number> = new Map()

function numbersOf(topic: string, form: Form, value: Value): Promise<ReadonlyMap<string, number>> {
  const before = form === 'auto' ? known.get(value) : undefined
  if (before) return before
  const numbers = read(value.payload, { form, topic, contentType: value.contentType }).then(
    ({ decoded }) => (decoded.kind === 'text' ? decoded.numbers : nothing),
    () => nothing,
  )
  if (form === 'auto') known.set(value, numbers)
  return numbers
}

/** The numbers of a topic over time. */
export function ValueCurve({ topic, form, values }: ValueCurveProps): JSX.Element | null {
  const points = useSignal<readonly Point[]>([])
  const name = useSignal<string | undefined>(undefined)
  const last = values.at(-1)
  useEffect(() => {
    let isOver = false
    void Promise.all(values.map(async (one) => ({ at: one.at, numbers: await numbersOf(topic, form, one) }))).then(
      (found) => {
        if (!isOver) points.value = found
      },
    )
    return () => {
      isOver = true
    }
  }, [topic, form, last])
  const names = [...(points.value.at(-1)?.numbers.keys() ?? [])]
  if (names.length === 0 || points.value.length < 2) return null
  const chosen = name.value !== undefined && names.includes(name.value) ? name.value : names[0]!
  const label = chosen === '' ? words.whole : chosen
  return (
    <section class="stack">
      <div class="row">
        <h3>{words.curve}</h3>
        {names.length > 1 && (
          <label class="row">
            <span class="muted">{words.curveOf}</span>
            <select
              value={chosen}
              onChange={({ currentTarget }) => {
                name.value = currentTarget.value
              }}
            >
              {names.map((one) => (
                <option key={one} value={one}>
                  {plain(one)}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <div class="largecurve">
        <Curve
          label={`${words.curve}: ${plain(label)}`}
          times={points.value.map(({ at }) => at / 1_000)}
          series={[{ name: label, values: points.value.map(({ numbers }) => numbers.get(chosen) ?? null) }]}
          format={(value) => String(Number(value.toPrecision(6)))}
          isLarge
          isFromZero={false}
        />
      </div>
    </section>
  )
}
