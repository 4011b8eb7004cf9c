// Debian's Firefox, without a window and without asking anybody on the network.
// puppeteer-core speaks WebDriver BiDi, as any Firefox does; playwright-core wants a patched one.
import { existsSync } from 'node:fs'
import { launch } from 'puppeteer-core'
import { PrepareError } from './prepare.mjs'

const executablePath = process.env.FIREFOX ?? '/usr/bin/firefox-esr'

/** Every name is this machine's, and none is asked for its HTTPS record: what Firefox would fetch by itself is refused here. */
const asksNobody = { 'network.dns.native-is-localhost': true, 'network.dns.native_https_query': false }

/** Why there is no Firefox, and what to do; undefined: there is one. */
export function firefoxMissing() {
  if (existsSync(executablePath)) return undefined
  return `${executablePath} is not there: apt-get install firefox-esr, or set FIREFOX to a Firefox`
}

/** A Firefox of its own, with an empty profile that goes when it is closed; whoever opens it closes it. */
export function openFirefox() {
  const reason = firefoxMissing()
  if (reason !== undefined) throw new PrepareError(reason)
  return launch({ browser: 'firefox', executablePath, headless: true, extraPrefsFirefox: asksNobody })
}
