import { unsafe } from '../text-log.js'

/** One line of JSON that no client's text in it can make do anything to a terminal. */
export function printableJson(value: object): string {
  return JSON.stringify(value).replace(unsafe, (character) =>
    Array.from({ length: character.length }, (_, at) => hex(character.charCodeAt(at))).join(''),
  )
}

function hex(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
