import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { plain } from '../format.js'
import { texts } from '../texts.js'
import { type Form, type Read, read } from './decode.js'
import { difference } from './difference.js'
import type { Value } from './topic-tree.js'

const words = texts.topics

interface ValueViewProps {
  readonly topic: string
  readonly form: Form
  readonly value: Value
  /** Compared with it. */
  readonly before: Value | undefined
}

/** A value, decoded; always as text or as a picture of points, whatever is in it. */
export function ValueView({ topic, form, value, before }: ValueViewProps): JSX.Element {
  const found = useSignal<Read | undefined>(undefined)
  const earlier = useSignal<string | undefined>(undefined)
  const isWrong = useSignal(false)
  useEffect(() => {
    let isOver = false
    const readOf = (one: Value): Promise<Read> => read(one.payload, { form, topic, contentType: one.contentType })
    readOf(value).then(
      (one) => {
        if (isOver) return
        found.value = one
        isWrong.value = false
      },
      () => {
        if (!isOver) isWrong.value = true
      },
    )
    if (before) {
      readOf(before).then(
        ({ decoded }) => {
          if (!isOver) earlier.value = decoded.kind === 'text' ? decoded.text : undefined
        },
        () => {},
      )
    } else earlier.value = undefined
    return () => {
      isOver = true
    }
  }, [value, before, form, topic, found, earlier, isWrong])
  if (value.payload.length === 0) return <p class="muted">{words.emptyPayload}</p>
  if (isWrong.value) return <p class="warn">{words.unreadable(words.forms[form])}</p>
  if (!found.value) return <p class="muted">{texts.state.loading}</p>
  const { decoded, form: seeming } = found.value
  return (
    <>
      {decoded.kind === 'image' ? (
        <Picture payload={value.payload} type={decoded.type} />
      ) : earlier.value === undefined ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
        <pre class="bytes mono value" tabIndex={0}>
          {shownText(decoded.text)}
        </pre>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard
        <pre class="bytes mono value" tabIndex={0}>
          {difference(earlier.value, decoded.text).map(({ mark, text }, at) => (
            <span key={`${at}`} class={mark === '+' ? 'added' : mark === '-' ? 'gone' : undefined}>
              {mark} {shownText(text)}
              {'\n'}
            </span>
          ))}
        </pre>
      )}
      {form === 'auto' && <p class="muted">{words.seemsTo(words.forms[seeming])}</p>}
    </>
  )
}

/** Lines stay lines; what else cannot be seen is written out. */
function shownText(text: string): string {
  return text
    .split('\n')
    .map((line) => plain(line.replaceAll('\t', '  ')))
    .join('\n')
}

function Picture({ payload, type }: { readonly payload: Uint8Array; readonly type: string }): JSX.Element | null {
  const url = useSignal('')
  useEffect(() => {
    url.value = URL.createObjectURL(new Blob([new Uint8Array(payload)], { type }))
    return () => URL.revokeObjectURL(url.value)
  }, [payload, type, url])
  return url.value === '' ? null : <img class="picture" src={url.value} alt={words.forms.image} />
}
