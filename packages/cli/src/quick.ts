// What scripts/bundle.mjs makes one file of, because Node takes longer to find a hundred files than to run them. Commands
// that are not `quick` are run by main.js, as they are without a bundle.
import { commandNamed } from './commands.js'
import { runProcess } from './process-edge.js'

const [first, second] = process.argv.slice(2)
const entry = commandNamed(first === 'help' ? second : first)

void (entry && !entry.quick ? import('./main.js') : runProcess())
