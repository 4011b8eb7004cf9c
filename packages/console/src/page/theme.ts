import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

const key = 'godwit-theme'
const dark = matchMedia('(prefers-color-scheme: dark)')

/** What the system asks for. */
export const prefersDark = signal(dark.matches)
dark.addEventListener('change', ({ matches }) => {
  prefersDark.value = matches
})

/** What whoever looks has chosen, kept in this browser. */
export const theme = signal<Theme>(kept())

function kept(): Theme {
  const found = localStorage.getItem(key)
  return found === 'light' || found === 'dark' ? found : 'system'
}

effect(() => {
  const { value } = theme
  if (value === 'system') {
    localStorage.removeItem(key)
    delete document.documentElement.dataset.theme
  } else {
    localStorage.setItem(key, value)
    document.documentElement.dataset.theme = value
  }
})
