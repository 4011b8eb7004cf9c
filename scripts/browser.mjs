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

/** A browser of its own, with an empty profile; whoever opens it closes it. */
export async function openBrowser() {
  if (!existsSync(executablePath)) {
    throw new PrepareError(`${executablePath} is not there: apt-get install chromium, or set CHROMIUM to a Chromium`)
  }
  return chromium.launch({ executablePath, headless: true, args })
}
