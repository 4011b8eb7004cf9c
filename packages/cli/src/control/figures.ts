/** `1 client`, `12,000 clients`. */
export function counted(value: number, what: string): string {
  return `${count(value)} ${what}${value === 1 ? '' : 's'}`
}

/** A figure as people read it: `12,000`, and `0.5` where that is all. */
export function count(value: number): string {
  return value > 0 && value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString('en')
}

/** `512 B`, `1.5 MiB`. */
export function bytes(value: number): string {
  const step = Math.min(3, Math.floor(Math.log2(Math.max(value, 1)) / 10))
  return step === 0 ? `${Math.round(value)} B` : `${(value / 1_024 ** step).toFixed(1)} ${['', 'K', 'M', 'G'][step]}iB`
}

/** How long ago that was, `00:04:05`. @param at in epoch ms, as all below. */
export function since(at: number): string {
  return duration(Math.max(0, Math.floor((Date.now() - at) / 1_000)))
}

/** How long until then: `in 00:04:05`. */
export function until(at: number): string {
  return `in ${duration(Math.max(0, Math.ceil((at - Date.now()) / 1_000)))}`
}

/** `2 d 03:04:05`. */
export function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  const clock = [Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60, seconds % 60]
  return `${days > 0 ? `${days} d ` : ''}${clock.map((part) => String(part).padStart(2, '0')).join(':')}`
}
