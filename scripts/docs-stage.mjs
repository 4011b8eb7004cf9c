// The machine that the commands of the docs take for granted, in a folder: a broker at its usual listeners, the files and
// users that pages name, programs of that machine. check-docs.mjs plays the pages on it.

import { webcrypto } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@godwit/client'
import { Background } from './background.mjs'
import { root } from './prepare.mjs'

/**
 * What stands for what: paths that are not ours to write, names that nobody resolves, loads for larger machines.
 * @type {readonly (readonly [written: string, instead: string])[]}
 */
const instead = [
  ['/var/lib/godwit', 'data'],
  ['/var/backups', 'backups'],
  ['/etc/mosquitto', 'mosquitto'],
  ['/etc/godwit', 'etc'],
  ['/run/godwit.sock', 'mqtt.sock'],
  ['/tmp/prof', 'prof'],
  ['wss://broker.local', 'wss://localhost:8084'],
  ['ws://localhost:8080', 'ws://localhost:8083'],
  ['broker.local', 'localhost'],
  ['0.0.0.0', '127.0.0.1'],
  ['--clients 10000', '--clients 500'],
  ['npm run build', 'true'],
]

const godwit = `exec '${process.execPath}' '${join(root, 'packages/cli/bin/godwit.js')}' "$@"`

/**
 * Programs found first in the PATH.
 * @param {Stage} stage
 */
const programs = (stage) => ({
  godwit,
  npx: 'exec "$@"',
  // A person at a terminal of its own, who types the password when it is asked for, and once more.
  typing: `rm -f typed shown && mkfifo typed && touch shown
    script -qefc "$*" /dev/null <typed >shown & pid=$!
    exec 3>typed
    for prompt in Password Once; do
      while kill -0 $pid 2>/dev/null && ! grep -q "$prompt" shown; do sleep 0.1; done
      echo PASSWORD >&3
    done
    wait $pid; code=$?; cat shown; exit $code`,
  sensor: 'printf "21.5\\n21.6\\n21.7\\n"',
  systemctl: 'test "$2" = godwit', // no systemd runs here
  journalctl: `cat '${join(stage.folder, 'journal')}'`,
  pgrep: `echo ${stage.broker?.pid}`, // mosquitto is measured as any other
})

const configuration = `data: data
control: data/control.sock
backup: { directory: backups/godwit }
allowAnonymous: true
listeners:
  - port: 1883
  - { protocol: mqtts, port: 8883, tls: { cert: cert.pem, key: key.pem } }
  - { protocol: ws, port: 8083 }
  - { protocol: wss, port: 8084, tls: { cert: cert.pem, key: key.pem } }
  - socket: mqtt.sock
`

/** @type {Readonly<Record<string, string>>} */
const files = {
  'cloud.pw': 'its password\n',
  'house-rules.mjs': "export default { name: 'house-rules' }\n",
  'webhook.secret': 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\n',
  'postgres.pw': 'secret\n',
  'influx.token': 'secret\n',
  'stage.yaml': configuration,
  'rules.yaml': 'rules: [{ allow: [publish, subscribe, receive], filter: "#" }]\n',
  'my-client':
    '#!/bin/sh\nexec node my-client.mjs "$MQTT_CONFORM_URL" "$MQTT_CONFORM_SCENARIO" "$MQTT_CONFORM_VERSION"\n',
  'mosquitto/mosquitto.conf':
    'listener 1885 127.0.0.1\nallow_anonymous true\nacl_file mosquitto/acl\nmount_point home/\n',
  'mosquitto/acl': 'user ann\ntopic readwrite #\n',
  'dynamic-security.json':
    '{ "clients": [{ "username": "ann", "roles": [{ "rolename": "r" }], "iterations": 1, "salt": "c2FsdA==", "password": "eA==" }], "roles": [{ "rolename": "r", "acls": [{ "acltype": "subscribePattern", "topic": "#", "allow": true }] }] }',
}

export class Stage {
  /** @type {Background | undefined} */
  broker
  /** @type {Background[]} */
  #running = []
  /** @type {AsyncDisposable | undefined} */
  #clock

  constructor() {
    this.folder = mkdtempSync(join(root, '.docs-stage-'))
  }

  async setUp() {
    for (const name of ['bin', 'data', 'backups', 'mosquitto', 'etc'])
      mkdirSync(join(this.folder, name), { mode: 0o700 })
    const { cert, key } = await selfSigned()
    const all = {
      ...files,
      'cert.pem': cert,
      'ca.pem': cert,
      'key.pem': key,
      'etc/server.crt': cert,
      'etc/server.key': key,
    }
    for (const [name, text] of Object.entries(all)) writeFileSync(join(this.folder, name), text, { mode: 0o600 })
    chmodSync(join(this.folder, 'my-client'), 0o700)
    cpSync(join(root, 'packages/cli/test/conform-clients/godwit.mjs'), join(this.folder, 'my-client.mjs'))
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'))
    symlinkSync(join(root, 'packages'), join(this.folder, 'packages'))
    await this.play('echo secret | godwit passwd -c passwords ann --stdin')
    cpSync(join(this.folder, 'passwords'), join(this.folder, 'etc/passwords'))
  }

  /** The broker that pages take for granted. */
  async startBroker() {
    rmSync(join(this.folder, 'godwit.yaml'), { force: true })
    this.broker = await this.begin('godwit broker --config stage.yaml', /an acknowledgement/)
    await this.answerClock()
  }

  /** Who answers `clock/ask`. */
  async answerClock() {
    const client = await connect('mqtt://127.0.0.1:1883')
    await client.respond('clock/ask', () => new Date().toISOString())
    this.#clock = client
  }

  /**
   * Runs a script to its end; throws, with what it printed, unless it ends with exit code 0 in time.
   * @param {string} script
   * @param {readonly string[]} [shell]
   */
  async play(script, shell = ['bash', '-eu', '-c']) {
    const one = await this.#start(script, shell)
    const timer = setTimeout(() => one.stop(), 90_000)
    await one.success().finally(() => clearTimeout(timer))
    return one.output
  }

  /**
   * Begins what lasts until it is told to stop.
   * @param {string} command
   * @param {RegExp} ready
   */
  async begin(command, ready) {
    const one = await this.#start(`exec ${command}`, ['bash', '-c'], ready)
    this.#running.push(one)
    return one
  }

  /**
   * @param {string} script
   * @param {readonly string[]} shell
   * @param {RegExp} [ready]
   */
  #start(script, shell, ready) {
    if (this.broker) writeFileSync(join(this.folder, 'journal'), this.broker.output)
    for (const [name, body] of Object.entries(programs(this))) {
      writeFileSync(join(this.folder, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o700 })
    }
    const trusted = join(this.folder, 'ca.pem') // as if an authority that all know had signed it
    const env = `PATH='${join(this.folder, 'bin')}':"$PATH" PASSWORD=secret NODE_EXTRA_CA_CERTS='${trusted}'`
    return Background.start(['sh', '-c', `export ${env}; exec "$@"`, 'sh', ...shell, this.prepared(script)], {
      cwd: this.folder,
      group: true,
      ...(ready && { ready }),
    })
  }

  /** @param {string} text */
  prepared(text) {
    return instead.reduce((changed, [written, other]) => changed.replaceAll(written, other), text)
  }

  /**
   * Resolves when something that runs has printed that line.
   * @param {string} line
   */
  async heard(line) {
    for (let waited = 0; !this.#running.some(({ output }) => output.split('\n').includes(line)); waited += 50) {
      if (waited > 10_000) throw new Error(`nobody prints "${line}"`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Ends all that runs; each must end in order. */
  async clear() {
    await this.#clock?.[Symbol.asyncDispose]()
    this.#clock = undefined
    this.broker = undefined
    for (const one of this.#running.splice(0).toReversed()) {
      const ending = await one.stop()
      if (ending !== 0) throw new Error(`${one.name} ended with ${ending}\n${one.output}`)
    }
  }

  async strike() {
    await this.clear().finally(() => rmSync(this.folder, { recursive: true, force: true }))
  }
}

/** A certificate for localhost, signed by itself: also the authority that clients are given. PEM. */
async function selfSigned() {
  // What @peculiar/x509's container asks of reflect-metadata: nothing is injected by type, so it is always empty.
  const nothing = () => undefined
  Object.assign(Reflect, { getMetadata: nothing, getOwnMetadata: nothing, defineMetadata: nothing })
  const x509 = await import('@peculiar/x509')
  x509.cryptoProvider.set(webcrypto)
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { cert: cert.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}
