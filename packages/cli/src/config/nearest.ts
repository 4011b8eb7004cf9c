export { nearest } from '@godwit/broker'
