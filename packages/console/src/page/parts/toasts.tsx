import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { texts } from '../texts.js'
import { asProblem } from './remote.js'

interface Toast {
  readonly id: number
  readonly text: string
  readonly isBad: boolean
}

const toasts = signal<readonly Toast[]>([])
let next = 0

function drop(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id)
}

/** Tells that something has been done; it goes by itself. */
export function tell(text: string, isBad = false): void {
  const id = next++
  toasts.value = [...toasts.value.slice(-3), { id, text, isBad }]
  setTimeout(() => drop(id), isBad ? 15_000 : 6_000)
}

/** Does something, and tells how it ended. @returns whether it was done. */
export async function doing(work: () => Promise<unknown>, done: string): Promise<boolean> {
  try {
    await work()
    tell(done)
    return true
  } catch (error) {
    tell(asProblem(error).message, true)
    return false
  }
}

export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, isBad }) => (
        <div key={id} class={isBad ? 'toast bad' : 'toast'}>
          <span>{text}</span>
          <button type="button" class="button quiet small" aria-label={texts.close} onClick={() => drop(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  )
}
