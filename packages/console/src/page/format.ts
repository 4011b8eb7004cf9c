const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

/** `12,345`; below ten with a tenth, where there is one. */
export function count(value: number): string {
  return Math.abs(value) < 10 ? tenths.format(value) : whole.format(value)
}

/** `512 B`, `1.5 MiB`. */
export function bytes(value: number): string {
  const step = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(value, 1)) / 10)))
  return `${tenths.format(value / 1_024 ** step)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][step]}`
}

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds))
  if (s < 60) return `${s} s`
  if (s < 3_600) return `${Math.floor(s / 60)} min`
  const [large, small, one, other] =
    s < 86_400
      ? [Math.floor(s / 3_600), Math.floor((s % 3_600) / 60), 'h', 'min']
      : [Math.floor(s / 86_400), Math.floor((s % 86_400) / 3_600), 'd', 'h']
  return small === 0 ? `${large} ${one}` : `${large} ${one} ${small} ${other}`
}

/** How long it is until then. */
export function until(time: string, now: number = Date.now()): string {
  return duration((new Date(time).getTime() - now) / 1_000)
}

/** How long ago it was. */
export function since(time: string | number, now: number = Date.now()): string {
  return duration((now - new Date(time).getTime()) / 1_000)
}

/** `14:03:59` */
export function clockTime(time: string | number): string {
  return new Date(time).toLocaleTimeString('en-GB')
}

/** `2026-11-30 14:03` */
export function dateTime(time: string | number): string {
  const at = new Date(time)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`
}

/** `1.2 ms`, `0.5 s` of seconds. */
export function milliseconds(seconds: number): string {
  const ms = seconds * 1_000
  return ms >= 1_000 ? `${tenths.format(ms / 1_000)} s` : `${ms < 10 ? tenths.format(ms) : whole.format(ms)} ms`
}

/**
 * A text that a client has written, as it may be shown: what cannot be seen, or turns the text around, is written out.
 * It is text all the same: nothing of it is ever HTML.
 */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`)
}
