/** The oldest Node that Godwit runs on; other environments are not asked for theirs. */
const oldest = [20, 19] as const

/** What is wrong with this Node, in one line; undefined: nothing, or it is none. */
export function nodeFlaw(version: string | undefined): string | undefined {
  if (version === undefined) return undefined
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return undefined
  return `Godwit needs Node ${oldest.join('.')} or newer; this is Node ${version}`
}

// At import, before anything half works: every package of Godwit imports this one.
const { process } = globalThis as { process?: { versions?: { node?: string } } }
const flaw = nodeFlaw(process?.versions?.node)
if (flaw !== undefined) throw new Error(flaw)
