import { BrokerError } from '@godwit/broker'
import type { StoreCheck } from '@godwit/broker/store/lmdb'
import { CommandError, exitDamaged } from '../command-error.js'
import { type CommandLine, commandLine, helped, type Manual, noAction, parse } from '../command-line.js'
import { type Terminal, write } from '../terminal.js'

const checkManual: Manual = {
  name: 'store check',
  summary: 'Reads all that a data folder holds, and tells what is damaged.',
  examples: [['godwit store check /var/lib/godwit']],
  notes: [
    'The broker must not be running on the folder; nothing in it is changed. The exit code is 0 when everything is as it was written, 65 when something is damaged, 1 when the folder cannot be looked at.',
  ],
}

const repairManual: Manual = {
  name: 'store repair',
  summary: 'Copies what is good in a data folder into a new one.',
  examples: [['godwit store repair /var/lib/godwit /var/lib/godwit-repaired']],
  notes: [
    'The old folder stays as it is; the new one must not be there yet, or be empty. What is damaged is told and left out. The exit code is 0 when the new folder is made, 1 when it cannot be.',
  ],
}

export function storeCheckLine(): CommandLine {
  return commandLine(checkManual).usage('[options] <folder>').argument('<folder>', 'the data folder')
}

export function storeRepairLine(): CommandLine {
  return commandLine(repairManual)
    .usage('[options] <folder> <new folder>')
    .argument('<folder>', 'the data folder')
    .argument('<new-folder>', 'where the copy goes')
}

/** `godwit store check` and `godwit store repair`. */
export async function store(args: readonly string[], terminal: Terminal): Promise<number> {
  const [action, ...rest] = args
  if (action === 'repair') return repair(rest, terminal)
  const asksForHelp = action === '--help' || action === '-h'
  if (action !== 'check' && !asksForHelp) throw new CommandError(noAction('store', action ?? '', ['check', 'repair']))
  return check(asksForHelp ? args : rest, terminal)
}

async function check(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = storeCheckLine()
  if (parse(command, args, terminal) === helped) return 0
  const { checkStore } = await import('@godwit/broker/store/lmdb')
  const found = await told(() => checkStore(command.args[0]!))
  tellDamage(found, terminal)
  await write(terminal.stdout, `${summary(found)}\n`)
  return found.damages > 0 ? exitDamaged : 0
}

async function repair(args: readonly string[], terminal: Terminal): Promise<number> {
  const command = storeRepairLine()
  if (parse(command, args, terminal) === helped) return 0
  const [from, to] = command.args
  const { repairStore } = await import('@godwit/broker/store/lmdb')
  const found = await told(() => repairStore(from!, to!))
  tellDamage(found, terminal)
  await write(terminal.stdout, `copied to ${to}: ${summary(found)}\n`)
  return 0
}

function tellDamage({ damage, damages }: StoreCheck, terminal: Terminal): void {
  for (const line of damage) terminal.stderr.write(`damaged: ${line}\n`)
  if (damages > damage.length) terminal.stderr.write(`damaged: ${damages - damage.length} more\n`)
}

function summary({ records, messages, damages, liveBytes, fileBytes }: StoreCheck): string {
  const { sessions = 0, subscriptions = 0, retained = 0, wills = 0 } = records
  const held = `${sessions} sessions, ${subscriptions} subscriptions, ${messages} queued messages, ${retained} retained, ${wills} wills`
  const state = damages === 0 ? 'all as it was written' : `${damages} damaged`
  return `${held}: ${state}; ${liveBytes} of ${fileBytes} bytes of the file are in use`
}

async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    throw new CommandError(error.message)
  }
}
