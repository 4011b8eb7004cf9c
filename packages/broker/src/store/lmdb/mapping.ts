import { readFileSync } from 'node:fs'

/** Bytes of address space for the data file: a mapping takes nothing by itself, and files larger than this are mapped anew. */
const roomyBytes = 64 * 2 ** 30

const sixtyFourBits: readonly string[] = ['x64', 'arm64', 'riscv64', 'ppc64', 's390x', 'loong64']

/**
 * How much address space lmdb is to map at once, or `undefined` for what it takes by itself. Then it maps the file anew whenever that has
 * doubled, and keeps the old mappings, each of which counts its pages as memory of the process; but where address space is
 * limited (`ulimit -v`), or on Windows, where the file would be made as large as its mapping, there is no other way.
 * @param limits what `/proc/self/limits` says.
 */
export function mapSizeFor(arch: string, limits: string): number | undefined {
  const isFree = /^Max address space +unlimited /m.test(limits)
  return isFree && sixtyFourBits.includes(arch) ? roomyBytes : undefined
}

/** Of this process. */
export function mapSize(): number | undefined {
  try {
    return mapSizeFor(process.arch, readFileSync('/proc/self/limits', 'utf8'))
  } catch {
    return undefined // not Linux
  }
}
