import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { Confirm } from './dialog.js'

interface AskingButtonProps {
  readonly label: string
  /** What is read aloud, where the label says too little. Default: the label. */
  readonly name?: string
  /** The question. */
  readonly title: string
  /** What follows from it. */
  readonly text: string
  /** Told where the pointer rests. */
  readonly hint?: string | undefined
  readonly isSmall?: boolean
  readonly isDisabled?: boolean
  readonly onConfirm: () => unknown
}

/** A button that asks before it does what cannot be taken back. */
export function AskingButton({
  label,
  name,
  title,
  text,
  hint,
  isSmall = false,
  isDisabled = false,
  onConfirm,
}: AskingButtonProps): JSX.Element {
  const isAsking = useSignal(false)
  return (
    <>
      <button
        type="button"
        class={isSmall ? 'button small danger' : 'button danger'}
        aria-label={name}
        title={hint}
        disabled={isDisabled}
        onClick={() => {
          isAsking.value = true
        }}
      >
        {label}
      </button>
      {isAsking.value && (
        <Confirm
          title={title}
          text={text}
          action={label}
          onConfirm={() => void onConfirm()}
          onClose={() => {
            isAsking.value = false
          }}
        />
      )}
    </>
  )
}
