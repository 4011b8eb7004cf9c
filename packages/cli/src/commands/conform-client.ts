import {
  type CheckResult,
  type ClientCheck,
  clientProblem,
  commandLaunch,
  runClientChecks,
  scenarios,
} from '@godwit/conformance'
import { CommandError } from '../command-error.js'

interface ClientRun {
  /** Clients that run at once. */
  readonly jobs: number
  readonly signal: AbortSignal
  readonly onResult: (result: CheckResult) => void
}

/** What a client does with the standard: its command is started for each dialogue, with a server of its own to talk to. */
export async function playClient(
  command: string,
  checks: readonly ClientCheck[],
  run: ClientRun,
): Promise<readonly CheckResult[]> {
  const launch = commandLaunch(command)
  // One start before all others: a wrong command is told in one line, not in a hundred.
  const problem = await clientProblem(launch, checks[0]?.version ?? '3.1.1')
  if (problem !== undefined) {
    throw new CommandError(
      `'${command}' did not connect to us: ${problem}; it has the server as {url} and as MQTT_CONFORM_URL`,
    )
  }
  return runClientChecks(launch, checks, run)
}

/** For --help: how a client is started … */
export const clientNote =
  '--client starts a command for each dialogue; it connects to the URL that stands for {url} in it and in MQTT_CONFORM_URL. {scenario} (MQTT_CONFORM_SCENARIO) says what it should do; what it never does is skipped. {version}: MQTT_CONFORM_VERSION.'

/** … and what it is asked to do. */
export const clientScenarios = { title: 'What a client is asked to do', rows: Object.entries(scenarios) }
