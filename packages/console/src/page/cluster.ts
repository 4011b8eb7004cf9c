import type { ClusterNode } from './answers.js'

/** As in the alert rules of packaging/prometheus. */
const behindFrames = 10_000
/** Nodes tell of themselves every five seconds. */
const hereMs = 60_000

/** Whether it has told of itself lately. */
export function isHere({ toldAt }: ClusterNode, now: number = Date.now()): boolean {
  return now - Date.parse(toldAt) < hereMs
}

/** Whether it would take over late. */
export function isBehind(node: ClusterNode): boolean {
  return node.behindFrames > behindFrames
}
