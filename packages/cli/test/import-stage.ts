import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { parse } from 'yaml'
import type { Note } from '../src/config-import/draft.js'
import { importMosquitto, noteInWords } from '../src/config-import/mosquitto-import.js'

/** Without a word about who may come in. */
export const open = ['allow_anonymous true']

/** What an import made of some lines; places in them are told without the path of the file. */
export interface Result {
  readonly yaml: string
  readonly values: Record<string, unknown>
  readonly told: string[]
  readonly refused: string[]
  readonly remarks: string[]
}

export interface ImportStage {
  /** A folder of this test, and the file that is imported. */
  readonly home: string
  readonly file: string
  imported(...lines: readonly string[]): Result
  /** A folder of files, as for `include_dir`. */
  folderOf(name: string, files: Readonly<Record<string, string>>): string
}

/** A place to import from, gone after the tests of the file. */
export function importStage(): ImportStage {
  const home = mkdtempSync(join(tmpdir(), 'godwit-import-'))
  const file = join(home, 'mosquitto.conf')
  afterAll(() => rmSync(home, { recursive: true }))
  return {
    home,
    file,
    imported(...lines) {
      writeFileSync(file, `${lines.join('\n')}\n`)
      const { yaml, untranslated, refused, remarks } = importMosquitto(file)
      const inWords = (notes: readonly Note[]): string[] =>
        notes.map((note) => noteInWords(note).replaceAll(`${file}:`, ''))
      return {
        yaml,
        values: parse(yaml) as Record<string, unknown>,
        told: inWords(untranslated),
        refused: inWords(refused),
        remarks: inWords(remarks),
      }
    },
    folderOf(name, files) {
      const folder = join(home, name)
      mkdirSync(folder)
      for (const [each, text] of Object.entries(files)) writeFileSync(join(folder, each), text)
      return folder
    },
  }
}
