export { type ConsolePage, consolePage } from './console-page.js'
