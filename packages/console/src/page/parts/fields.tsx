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
