/** A Topic Filter cut into its levels. */
export type Levels = readonly string[]

/**
 * Whether every Topic Name that `narrow` matches is matched by `wide` too, as section 4.7 has it: `#` stands for the
 * level above it as well, and no wildcard at the beginning stands for a level that begins with `$` [MQTT-4.7.2-1].
 */
export function covers(wide: Levels, narrow: Levels): boolean {
  if (isSystemLevel(narrow[0]) && isWildcard(wide[0])) return false
  for (let at = 0; ; at++) {
    const [w, n] = [wide[at], narrow[at]]
    if (w === '#') return true
    if (n === '#') return at === 0 && w === '+' && wide[1] === '#' // every topic has a first level, so `+/#` is all of `#`
    if (w === undefined || n === undefined) return w === n
    if (w !== '+' && w !== n) return false
  }
}

/** Whether some Topic Name is matched by both. */
export function overlap(one: Levels, other: Levels): boolean {
  if (isSystemLevel(one[0]) && isWildcard(other[0])) return false
  if (isSystemLevel(other[0]) && isWildcard(one[0])) return false
  for (let at = 0; ; at++) {
    const [a, b] = [one[at], other[at]]
    if (a === '#' || b === '#') return true
    if (a === undefined || b === undefined) return a === b
    if (a !== '+' && b !== '+' && a !== b) return false
  }
}

const isSystemLevel = (level: string | undefined): boolean => level?.startsWith('$') ?? false
const isWildcard = (level: string | undefined): boolean => level === '+' || level === '#'
