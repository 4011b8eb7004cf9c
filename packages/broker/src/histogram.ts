/** How often something was how much: counts by upper bound, as Prometheus has them. Costs a few comparisons a value. */
export class Histogram {
  /** Upper bounds, inclusive, rising; what is above the last has a count of its own. */
  readonly bounds: readonly number[]
  /** How many values fell to each bound and above the one before; the last one: above all bounds. */
  readonly counts: Float64Array
  count = 0
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let at = 0
    while (at < this.bounds.length && value > this.bounds[at]!) at++
    this.counts[at]!++
    this.count++
    this.sum += value
  }
}
