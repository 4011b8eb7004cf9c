// biome-ignore-all lint/suspicious/noConsole: what lmdb does with it is what this file is about
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What lmdb says of a commit that failed, or whatever else it would write to stderr; told by the store in a line of its own. */
type OnLmdbError = (error: unknown) => void

/** lmdb's own files, as a stack names them: a path, or a URL of a module. */
const lmdbFolder = dirname(createRequire(import.meta.url).resolve('lmdb')).replace(/[\\/]dist$/, '')
const ownFiles = [`${lmdbFolder}/`, `${lmdbFolder}\\`, `${pathToFileURL(lmdbFolder).href}/`]

/** Those of a wrapper or two among them. */
const mostFrames = 10

const listeners = new Set<OnLmdbError>()
type ConsoleError = typeof console.error
/** What stands in `console.error` while a store is open, and what stood there before. */
let standIn: { readonly quiet: ConsoleError; readonly before: ConsoleError } | undefined

/**
 * While a store is open, what lmdb itself says by `console.error` (a raw stack for each commit that failed) goes to `onError`
 * and not to stderr. It is known by who calls, not by what is said; all else passes through, also when others have put
 * something of theirs around `console.error` meanwhile. With several stores each is told, for lmdb does not say which it is.
 * @param onError must not throw.
 * @returns ends it, for this store; what others have put there meanwhile stays.
 */
export function quietLmdb(onError: OnLmdbError): () => void {
  const listener: OnLmdbError = (error) => onError(error) // two stores may give the same function
  listeners.add(listener)
  if (console.error !== standIn?.quiet) stand()
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0 || console.error !== standIn?.quiet) return
    console.error = standIn.before
    standIn = undefined
  }
}

function stand(): void {
  const before = console.error
  const quiet: ConsoleError = (...said) => {
    if (listeners.size === 0 || !isCalledByLmdb(console.error !== quiet)) return before.apply(console, said)
    const error = said.find((one) => one instanceof Error) ?? said.map(String).join(' ')
    for (const listener of [...listeners]) listener(error)
  }
  standIn = { quiet, before }
  console.error = quiet
}

/**
 * Whether a file of lmdb calls `console.error`.
 * @param isWrapped others have put something around it, whose frames lie between.
 */
function isCalledByLmdb(isWrapped: boolean): boolean {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = mostFrames
  const { stack } = new Error('who calls')
  Error.stackTraceLimit = limit
  const [, , , ...callers] = String(stack).split('\n') // the first three are what is said, this function and its caller
  return callers.slice(0, isWrapped ? mostFrames : 1).some((frame) => ownFiles.some((file) => frame.includes(file)))
}
