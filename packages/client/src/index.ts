export * from './page.js'
export { scramSha256 } from './scram.js'
