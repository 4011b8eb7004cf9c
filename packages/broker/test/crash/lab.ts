import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { missingCompiler, preloaded } from './tools.js'

/** A folder of one file of tests, which goes when they have ended, and the libraries that its brokers are started with. */
export class Lab {
  readonly folder: string
  /** Whether nothing can be played here. */
  readonly missing = missingCompiler()
  readonly #libraries = new Map<string, string>()

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `godwit-${name}-`))
    afterAll(() => rmSync(this.folder, { recursive: true }))
  }

  /** Where that of this C file is; built when it is asked for first. */
  library(name: 'record' | 'refuse'): string {
    const library = this.#libraries.get(name) ?? preloaded(name, this.folder)
    this.#libraries.set(name, library)
    return library
  }

  /** A new folder in it. */
  directory(name: string): string {
    return mkdtempSync(join(this.folder, `${name}-`))
  }
}
