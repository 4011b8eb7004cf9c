// The whole command, from its modules: what `npm start` runs, and commands that are not in the bundle.
import { runProcess } from './process-edge.js'

await runProcess()
