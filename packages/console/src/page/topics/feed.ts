import type { Client } from '@godwit/client/browser'
import { batch, effect, signal } from '@preact/signals'
import { self } from '../session.js'
import { TopicTree } from './topic-tree.js'

/** How often what has come is shown. */
const showMs = 200
/** A message is kept as it came; a payload that is larger is cut. */
const mostPayload = 262_144

/** How the page stands with the broker, for messages. */
export type FeedState = 'connecting' | 'connected' | 'lost' | 'refused'

/**
 * All messages that the role may see, over a WebSocket of the same server, kept while one looks at other pages too. It ends when
 * nobody has looked for a while.
 */
export const tree: TopicTree = new TopicTree()
export const feedState = signal<FeedState>('connecting')
/** Why it is not connected. */
export const feedProblem = signal('')
/** Another one whenever there is something new to show. */
export const shownAt = signal(0)
export const isPaused = signal(false)
/** Messages that came while it was paused. */
export const missed = signal(0)
/** Whether what the broker tells of itself is shown too. */
export const withSystem = signal(false)

let client: Client | undefined
let _opening: Promise<void> | undefined
let leaving: ReturnType<typeof setTimeout> | undefined
let isChanged = false
let timer: ReturnType<typeof setInterval> | undefined

const leaveMs = 60_000

/** Somebody looks. @returns nobody does any more. */
export function look(): () => void {
  clearTimeout(leaving)
  _opening ??= open()
  timer = setInterval(show, showMs)
  return () => {
    clearInterval(timer)
    leaving = setTimeout(close, leaveMs)
  }
}

function show(): void {
  if (!isChanged || document.hidden) return
  isChanged = false
  shownAt.value++
}

async function open(): Promise<void> {
  feedState.value = 'connecting'
  try {
    const { connect } = await import('@godwit/client/browser')
    const url = new URL('/mqtt', location.href)
    url.protocol = url.protocol.replace('http', 'ws')
    client = await connect(url.href, { clientId: `console-${crypto.getRandomValues(new Uint32Array(2)).join('-')}` })
    client.on('connect', () => {
      feedState.value = 'connected'
    })
    client.on('disconnect', ({ error }) => {
      batch(() => {
        feedState.value = 'lost'
        feedProblem.value = error.message
      })
    })
    client.on('close', ({ error }) => error && failed(error))
    await client.subscribe('#', { onMessage: take, retainAsPublished: true })
    if (withSystem.value) await client.subscribe('$SYS/#', { onMessage: take, retainAsPublished: true })
    feedState.value = 'connected'
  } catch (error) {
    failed(error)
    _opening = undefined
  }
}

function failed(error: unknown): void {
  batch(() => {
    feedState.value = 'refused'
    feedProblem.value = error instanceof Error ? error.message : ''
  })
}

interface Taken {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: number
  readonly retain: boolean
  readonly properties: { readonly contentType?: string } | undefined
}

function take({ topic, payload, qos, retain, properties }: Taken): void {
  if (isPaused.peek()) {
    missed.value++
    return
  }
  const kept = payload.length > mostPayload ? payload.slice(0, mostPayload) : payload
  tree.add(topic, { at: Date.now(), payload: kept, qos, retain, contentType: properties?.contentType })
  isChanged = true
}

/** Begins anew: what was retained comes again. */
export async function again(): Promise<void> {
  await close()
  tree.clear()
  missed.value = 0
  shownAt.value++
  _opening = open()
}

async function close(): Promise<void> {
  _opening = undefined
  await client?.close().catch(() => {})
  client = undefined
}

// Whoever logs out leaves nothing behind for the next one.
effect(() => {
  if (self.value) return
  void close()
  tree.clear()
  missed.value = 0
})
