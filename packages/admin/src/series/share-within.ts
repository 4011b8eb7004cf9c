/** How often something was how much, by upper bound; the last count is above all bounds. */
export interface Counted {
  readonly bounds: readonly number[]
  readonly counts: ArrayLike<number>
}

/** The upper bound that this share of all values does not exceed; null: there are none. */
export function shareWithin({ bounds, counts }: Counted, share: number): number | null {
  const all = Array.from(counts)
  const total = all.reduce((sum, value) => sum + value, 0)
  if (total === 0) return null
  let upTo = 0
  const at = all.findIndex((value) => {
    upTo += value
    return upTo >= share * total
  })
  return bounds[Math.min(at, bounds.length - 1)]!
}
