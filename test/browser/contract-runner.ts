// The part of Vitest that store.contract.ts uses, for a page.

type Body = (...values: readonly unknown[]) => Promise<void>

const tests: { readonly name: string; readonly body: () => Promise<void> }[] = []

export function describe(_name: string, define: () => void): void {
  define()
}

export function test(name: string, body: Body): void {
  tests.push({ name, body })
}

test.each =
  (rows: readonly (readonly unknown[])[]) =>
  (name: string, body: Body): void => {
    for (const row of rows) test(name.replace('%s', String(row[0])), () => body(...row))
  }

export function expect(found: unknown): {
  toEqual(wanted: unknown): void
  toBeUndefined(): void
} {
  return {
    toEqual(wanted) {
      if (!isEqual(found, wanted)) throw new Error(`found ${shown(found)}, wanted ${shown(wanted)}`)
    },
    toBeUndefined() {
      if (found !== undefined) throw new Error(`found ${shown(found)}, wanted undefined`)
    },
  }
}

/** Plays what was defined; answers each name with what went wrong, '' for nothing. */
export async function play(): Promise<[name: string, problem: string][]> {
  const outcomes: [string, string][] = []
  for (const { name, body } of tests) {
    outcomes.push([
      name,
      await body().then(
        () => '',
        (error: unknown) => String(error),
      ),
    ])
  }
  return outcomes
}

/** As toEqual: a field that is undefined is as one that is not there. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false
  const [mine, theirs] = [one, other] as Record<string, unknown>[]
  return [...new Set([...Object.keys(one), ...Object.keys(other)])].every((key) => isEqual(mine![key], theirs![key]))
}

function shown(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (part instanceof Uint8Array ? `${part.length} bytes` : part))
}
