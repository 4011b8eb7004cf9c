// A broker that is handed its listening sockets, as by systemd: which they are it says to its parent, and serves them.
import { createBroker, systemdSockets } from '../../dist/index.js'

const broker = await createBroker({ sysIntervalSeconds: 0 })
const sockets = systemdSockets({ ...process.env, LISTEN_PID: `${process.pid}` })
const listeners = []
for (const { fd, name } of sockets) listeners.push({ name, port: (await broker.listen({ fd })).port })
process.send?.(listeners)
process.on('disconnect', () => process.exit())
