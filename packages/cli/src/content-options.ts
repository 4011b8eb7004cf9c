import { readFileSync } from 'node:fs'
import { isTopicName } from '@godwit/protocol'
import { topicName } from './argument-values.js'
import { CommandError } from './command-error.js'
import type { CommandLine } from './manual.js'
import type { ServerUrl } from './server-url.js'
import { systemProblem } from './system-problem.js'
import type { Terminal } from './terminal.js'

/** The flags that pub and rr have in common: where to, and what. */
export interface ContentFlags {
  readonly topic?: string
  readonly url?: ServerUrl
  readonly message?: string
  readonly file?: string
  readonly stdinFile?: true
  readonly nullMessage?: true
}

/** Where one message comes from. */
export type SingleContent =
  | { readonly from: 'argument'; readonly message: string }
  | { readonly from: 'file'; readonly path: string }
  | { readonly from: 'stdin' }

export function addContentOptions(command: CommandLine): CommandLine {
  return command
    .option('-t, --topic <topic>', 'topic to publish to', topicName)
    .option('-m, --message <message>', 'the message')
    .option('-f, --file <file>', 'publish the content of a file')
    .option('-s, --stdin-file', 'publish all of standard input as one message')
    .option('-n, --null-message', 'publish an empty message')
}

/** @throws CommandError when there is none. */
export function topicOf({ topic, url }: ContentFlags): string {
  const name = topic ?? url?.topic
  if (name === undefined) throw new CommandError('there is no topic to publish to; add --topic')
  if (!isTopicName(name))
    throw new CommandError(`'${name}' in --url is not a topic name: it may not have + or #; see --topic`)
  return name
}

/**
 * The contents that the flags name.
 * @param others Further ones that the command knows.
 * @throws CommandError unless there is exactly one in all.
 */
export function contentOf<Other = never>(
  { message, file, stdinFile, nullMessage }: ContentFlags,
  ...others: readonly Other[]
): SingleContent | Other {
  const given: (SingleContent | Other)[] = [...others]
  if (message !== undefined) given.push({ from: 'argument', message })
  if (file !== undefined) given.push({ from: 'file', path: file })
  if (stdinFile) given.push({ from: 'stdin' })
  if (nullMessage) given.push({ from: 'argument', message: '' })
  const [content, another] = given
  if (content === undefined) throw new CommandError('there is no message; add --message, or see --help for other ways')
  if (another !== undefined) throw new CommandError('there is more than one message; keep one of them')
  return content
}

/** @throws CommandError for a file that cannot be read. */
export async function payloadOf(content: SingleContent, terminal: Terminal): Promise<Uint8Array> {
  switch (content.from) {
    case 'argument':
      return Buffer.from(content.message)
    case 'file':
      try {
        return readFileSync(content.path) // node:fs/promises takes longer to load than most files to be read
      } catch (error) {
        throw new CommandError(`cannot read ${content.path}: ${systemProblem(error)}; name another --file`)
      }
    case 'stdin': {
      const chunks: Uint8Array[] = []
      for await (const chunk of terminal.stdin) chunks.push(chunk as Uint8Array)
      return Buffer.concat(chunks)
    }
  }
}
