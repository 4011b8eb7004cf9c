/** For callers that the types cannot stop. */
export function isQos(value: number): boolean {
  return value === 0 || value === 1 || value === 2
}
