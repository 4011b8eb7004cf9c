import type { ComponentChildren, JSX } from 'preact'

interface FieldProps {
  readonly label: string
  readonly children: ComponentChildren
}

export function Field({ label, children }: FieldProps): JSX.Element {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: its control is what is given
    <label class="field">
      <span>{label}</span>
      {children}
    </label>
  )
}

interface ChoiceProps<T extends string> {
  readonly label: string
  readonly value: T
  /** What there is to choose from, and what it is called. */
  readonly of: Readonly<Record<T, string>>
  readonly onChange: (value: T) => void
}

/** One of several. */
export function Choice<T extends string>({ label, value, of, onChange }: ChoiceProps<T>): JSX.Element {
  return (
    <Field label={label}>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value as T)}>
        {Object.entries<string>(of).map(([one, name]) => (
          <option key={one} value={one}>
            {name}
          </option>
        ))}
      </select>
    </Field>
  )
}

interface TextFieldProps {
  readonly label: string
  readonly value: string
  readonly onChange: (value: string) => void
  readonly type?: 'text' | 'password' | 'number'
  readonly isMono?: boolean
  readonly isRequired?: boolean
  readonly hint?: string
}

export function TextField({
  label,
  value,
  onChange,
  type = 'text',
  isMono,
  isRequired,
  hint,
}: TextFieldProps): JSX.Element {
  return (
    <Field label={label}>
      <input
        type={type}
        class={isMono ? 'mono' : undefined}
        value={value}
        required={isRequired}
        placeholder={hint}
        autocomplete={type === 'password' ? 'new-password' : 'off'}
        spellcheck={false}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </Field>
  )
}
