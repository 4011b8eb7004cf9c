// Debian's Chromium, without a window and without asking anybody on the network.
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { PrepareError } from './prepare.mjs'

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Why there is no browser, and what to do; undefined: there is one. */
export function browserMissing() {
  if (existsSync(executablePath)) return undefined
  return `${executablePath} is not there: apt-get install chromium, or set CHROMIUM to a Chromium`
}

/** A browser of its own, with an empty profile; whoever opens it closes it. */
export function openBrowser() {
  mustBeThere()
  return chromium.launch({ executablePath, headless: true, args })
}

/**
 * The same with a profile on the disk, where IndexedDB is what it is at home.
 * @param {string} folder
 */
export function openProfile(folder) {
  mustBeThere()
  return chromium.launchPersistentContext(folder, { executablePath, headless: true, args })
}

function mustBeThere() {
  const reason = browserMissing()
  if (reason !== undefined) throw new PrepareError(reason)
}
