// `godwit broker` as nodes of a cluster, each as a person would start it, in this process.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { TestTerminal } from '../../packages/cli/test/test-terminal.js'
import type { NatsServers } from '../../packages/cluster/test/nats/nats-servers.js'

export interface Node {
  readonly name: string
  readonly folder: string
  readonly terminal: TestTerminal
  readonly exitCode: Promise<number>
}

/** Nodes of one cluster; all end with it. */
export class Nodes {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'godwit-nodes-'))
  readonly #cluster: string
  readonly #nats: NatsServers
  readonly #running: Node[] = []

  constructor(cluster: string, nats: NatsServers) {
    this.#cluster = cluster
    this.#nats = nats
  }

  /** @param settings of the file, with what is not usual of `cluster` in it. @param flags of the command line. */
  start(
    name: string,
    { cluster, ...settings }: { readonly cluster?: object } & Record<string, unknown>,
    ...flags: readonly string[]
  ): Node {
    const data = join(this.folder, name)
    const file = `${data}.yaml`
    const usual = { name: this.#cluster, node: name, servers: this.#nats.urls, replicas: 1, leaseMs: 1_000 }
    writeFileSync(file, JSON.stringify({ data, ...settings, cluster: { ...usual, ...cluster } }))
    const terminal = new TestTerminal()
    const node = { name, folder: data, terminal, exitCode: terminal.run('broker', '--config', file, ...flags) }
    this.#running.push(node)
    return node
  }

  async stop(node: Node): Promise<void> {
    node.terminal.interrupt()
    expect(await this.ended(node)).toBe(0)
  }

  /** By itself. @returns its exit code. */
  async ended({ terminal, exitCode }: Node): Promise<number> {
    const code = await exitCode
    const at = this.#running.findIndex((one) => one.terminal === terminal)
    this.#running.splice(at, 1)
    return code
  }

  async close(): Promise<void> {
    for (const node of [...this.#running]) await this.stop(node)
    rmSync(this.folder, { recursive: true })
  }
}

/** Other settings in its file. */
export function change({ folder }: Node, settings: object): void {
  const file = `${folder}.yaml`
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...settings }))
}

/** Until it serves. */
export async function serves({ terminal }: Node): Promise<void> {
  await terminal.printed(/an MQTT broker/)
}

/** What a command prints to a person, asked for beside the node. */
export async function asked(node: Node, ...args: readonly string[]): Promise<string> {
  const terminal = new TestTerminal()
  const exitCode = await terminal.run(...args, '--data', node.folder)
  expect([exitCode, terminal.errors]).toEqual([0, expect.anything()])
  return terminal.output
}
