import type { ComponentChildren, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { texts } from '../texts.js'

interface PageProps {
  readonly title: string
  /** Beside the title. */
  readonly note?: ComponentChildren
  readonly children: ComponentChildren
}

/** One page: its title, and what is on it. */
export function Page({ title, note, children }: PageProps): JSX.Element {
  useEffect(() => {
    document.title = `${title} – ${texts.name}`
  }, [title])
  return (
    <main class="page" id="content" tabIndex={-1}>
      <div class="head">
        <h1>{title}</h1>
        <span class="muted">{note}</span>
      </div>
      {children}
    </main>
  )
}
