/** What stands in the way of a line of a password file. */
interface HashProblem {
  readonly why: string
  /** Whether an optional package helps; else the line cannot be used. */
  readonly needsPackage: boolean
}

const argon2 = '@node-rs/argon2'

/** Looks at the kind of a hash, as it stands behind the user's name. */
export function hashProblem(hash: string): HashProblem | undefined {
  if (hash.startsWith('$argon2id$')) {
    return {
      why: `its password is hashed with argon2id, which needs a package: npm install ${argon2}`,
      needsPackage: true,
    }
  }
  if (/^\$7\$\d{1,7}\$[\w+/]+={0,2}\$[\w+/]+={0,2}$/.test(hash)) return undefined
  if (/^\$6\$[\w+/]+={0,2}\$[\w+/]+={0,2}$/.test(hash) || hash.startsWith('$scrypt$')) return undefined
  if (!hash.startsWith('$'))
    return { why: 'its password is not hashed; godwit passwd makes the line again', needsPackage: false }
  return { why: 'its password is hashed in a way that is not known here, or damaged', needsPackage: false }
}

/** A line of a password file that a broker would not start with, or that needs something. */
interface LineProblem extends HashProblem {
  /** From 1. */
  readonly line: number
  readonly user: string
}

/** The lines of a password file that are not simply taken. */
export function passwordFileProblems(text: string): readonly LineProblem[] {
  const users = new Set<string>()
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((written, at): readonly LineProblem[] => {
      if (written.trim() === '' || written.startsWith('#')) return []
      const colon = written.lastIndexOf(':')
      const user = written.slice(0, Math.max(colon, 0))
      const place = { line: at + 1, user }
      if (colon < 1) return [{ ...place, why: 'a line is USER:HASH', needsPackage: false }]
      if (users.has(user)) return [{ ...place, why: 'the user has a line already', needsPackage: false }]
      users.add(user)
      const problem = hashProblem(written.slice(colon + 1).trim())
      return problem ? [{ ...place, ...problem }] : []
    })
}
