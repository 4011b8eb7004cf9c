// Loaded before a broker: its wall clock is so many milliseconds ahead as the file says that BENCH_CLOCK names.
import { readFileSync } from 'node:fs'

const { BENCH_CLOCK: file = '' } = process.env
const real = Date.now.bind(Date)
let ahead = 0

const look = () => {
  try {
    ahead = Number(readFileSync(file, 'utf8')) || 0
  } catch {
    ahead = 0
  }
}

if (file !== '') {
  look()
  setInterval(look, 100).unref()
  Date.now = () => real() + ahead
}
