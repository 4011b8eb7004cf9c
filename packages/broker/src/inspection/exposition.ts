import type { Histogram } from '../metrics.js'

/** Labels of one series. Their values must be few and known: each makes a series that is kept for long. */
export type Labels = Readonly<Record<string, string>>

/** The text format of Prometheus (version 0.0.4), metric by metric. */
export class Exposition {
  readonly #lines: string[] = []

  /** What only rises; the name ends in `_total`. With a list, a series each. */
  counter(name: string, help: string, value: number | readonly (readonly [Labels, number])[]): this {
    return this.#metric(name, 'counter', help, value)
  }

  /** What rises and falls. */
  gauge(name: string, help: string, value: number | readonly (readonly [Labels, number])[]): this {
    return this.#metric(name, 'gauge', help, value)
  }

  histogram(name: string, help: string, { bounds, counts, count, sum }: Histogram): this {
    this.#head(name, 'histogram', help)
    let upTo = 0
    for (const [at, bound] of bounds.entries()) {
      upTo += counts[at]!
      this.#line(`${name}_bucket`, { le: String(bound) }, upTo)
    }
    this.#line(`${name}_bucket`, { le: '+Inf' }, count)
    this.#line(`${name}_sum`, {}, sum)
    this.#line(`${name}_count`, {}, count)
    return this
  }

  toString(): string {
    return this.#lines.join('')
  }

  #metric(name: string, type: string, help: string, value: number | readonly (readonly [Labels, number])[]): this {
    this.#head(name, type, help)
    for (const [labels, number] of typeof value === 'number' ? [[{}, value] as const] : value) {
      this.#line(name, labels, number)
    }
    return this
  }

  #head(name: string, type: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`)
  }

  #line(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${text}"`)
    this.#lines.push(`${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`)
  }
}
