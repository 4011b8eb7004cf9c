import { on, once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { commandLaunch, type Task } from '@godwit/conformance'
import { afterEach, expect, it } from 'vitest'

/** Says how it was started, and stays. */
const program = `node -e "
  const { MQTT_CONFORM_URL: url, MQTT_CONFORM_SCENARIO: scenario, MQTT_CONFORM_VERSION: version } = process.env
  require('net').connect(new URL(url).port, '127.0.0.1').write([url, scenario, version, process.argv.slice(1)].join(' '))
"`

let server: Server
afterEach(() => server.close())

async function listening(): Promise<Task> {
  server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, scenario: 'idle', version: '5.0' }
}

it('tells the command where, what and how; ends all that it started', async () => {
  const task = await listening()
  const arriving = on(server, 'connection')
  const launched = commandLaunch(`${program} {url} {scenario} {version} & ${program}; wait`)(task)
  const sockets: Socket[] = []
  const said: string[] = []
  for await (const [socket] of arriving as AsyncIterable<[Socket]>) {
    sockets.push(socket.on('error', () => {}))
    said.push(String((await once(socket, 'data'))[0]))
    if (said.length === 2) break
  }
  const told = `${task.url} idle 5.0`
  expect(said.sort()).toEqual([`${told} `, `${told} ${told.replaceAll(' ', ',')}`])

  const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
  await launched.stop()
  await closed
  expect(await launched.ended).toBe('it was ended by SIGKILL')
})

it('says why a command has ended', async () => {
  const task = await listening()
  expect(await commandLaunch('echo no such option >&2; exit 3')(task).ended).toBe(
    'it ended with exit code 3: no such option',
  )
})
