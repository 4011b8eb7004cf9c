// Two workers share one subscription: each job goes to one of them, and a job that nobody acknowledged to the next.
import { type Client, connect } from '@godwit/client'

const done: string[] = []
let finish = (): void => {}
const finished = new Promise<void>((resolve) => {
  finish = resolve
})

async function worker(name: string): Promise<Client> {
  // receiveMaximum: 1 is one job at a time.
  const client = await connect('mqtt://localhost', { clientId: name, receiveMaximum: 1 })
  // A job is acknowledged when onMessage is over.
  await client.subscribe('$share/printers/jobs/+job', {
    qos: 1,
    onMessage: async ({ params }) => {
      await new Promise((resolve) => setTimeout(resolve, 5)) // the work
      done.push(params.job)
      if (done.length === 10) finish()
    },
  })
  return client
}

await using _one = await worker('worker-1')
await using _two = await worker('worker-2')
await using boss = await connect('mqtt://localhost')
for (let job = 0; job < 10; job++) await boss.publish(`jobs/${job}`, '', { qos: 1 })

await finished
console.log(done.length, new Set(done).size) // 10 10
