import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Check } from '../check.js'
import type { Scenario } from './scenario.js'

/** One start of the client under test. */
export interface Task {
  /** Where the server is: `mqtt://127.0.0.1:PORT`. */
  readonly url: string
  readonly scenario: Scenario
  readonly version: Check['version']
}

/** A client that has been started. */
export interface Launched {
  /** Settles when it has ended by itself or been stopped, with why in words. */
  readonly ended: Promise<string>
  stop(): Promise<void>
}

/** Starts the client under test. */
export type Launch = (task: Task) => Launched

/**
 * Starts a shell command for each task. `{url}`, `{scenario}` and `{version}` in it are replaced, and the same stands in
 * the variables MQTT_CONFORM_URL, MQTT_CONFORM_SCENARIO and MQTT_CONFORM_VERSION.
 */
export function commandLaunch(command: string): Launch {
  const running = new Set<ChildProcess>()
  // A group of its own gets no Ctrl-C of ours.
  process.once('exit', () => running.forEach(kill))
  return ({ url, scenario, version }) => {
    const text = command.replaceAll('{url}', url).replaceAll('{scenario}', scenario).replaceAll('{version}', version)
    const child = spawn(text, {
      shell: true,
      detached: true, // a process group of its own, so that what the shell starts can be ended with it
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, MQTT_CONFORM_URL: url, MQTT_CONFORM_SCENARIO: scenario, MQTT_CONFORM_VERSION: version },
    })
    running.add(child)
    const ended = ending(child).finally(() => running.delete(child))
    return { ended, stop: () => stop(child, ended) }
  }
}

async function ending(child: ChildProcess): Promise<string> {
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 2000)
  })
  try {
    const [code, signal] = await once(child, 'close')
    const how = code === null ? `was ended by ${signal}` : `ended with exit code ${code}`
    const reason = /\S.*/.exec(said)?.[0]
    return reason === undefined ? `it ${how}` : `it ${how}: ${reason.trim()}`
  } catch (error) {
    return `it could not be started: ${(error as Error).message}`
  }
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  kill(child)
  await ended
}

function kill(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // the whole group has ended
  }
}
