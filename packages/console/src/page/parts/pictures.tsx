import type { JSX } from 'preact'

/** A picture for each state that a part of the page can be in; what it says stands beside it. */
export type PictureName = 'empty' | 'failed' | 'noRight' | 'lost' | 'notAvailable'

const shapes: Readonly<Record<PictureName, JSX.Element>> = {
  empty: (
    <>
      <path d="M14 34 22 14h44l8 20v18H14z" />
      <path d="M14 34h18l4 8h16l4-8h18" />
    </>
  ),
  failed: (
    <>
      <path d="M44 8 80 58H8z" />
      <path d="M44 26v16M44 49v1" stroke-width="4" />
    </>
  ),
  noRight: (
    <>
      <rect x="24" y="30" width="40" height="28" rx="4" />
      <path d="M32 30v-8a12 12 0 0 1 24 0v8M44 42v6" />
    </>
  ),
  lost: (
    <>
      <path d="M6 42h22l6-10M82 42H60l-6-10" />
      <path d="m40 26 3-10m7 12 8-7m-20 15 12 10" stroke-dasharray="3 5" />
    </>
  ),
  notAvailable: (
    <>
      <circle cx="44" cy="33" r="22" />
      <path d="m29 48 30-30" />
    </>
  ),
}

export function Picture({ name }: { readonly name: PictureName }): JSX.Element {
  return (
    <svg
      viewBox="0 0 88 66"
      fill="none"
      stroke="currentColor"
      stroke-width="2.5"
      stroke-linejoin="round"
      stroke-linecap="round"
      aria-hidden="true"
    >
      {shapes[name]}
    </svg>
  )
}
