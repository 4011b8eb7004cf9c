/**
 * Whether there is what is only for speed under load, as measured on Node; what comes out is the same without. The client of a
 * page has it false, and is smaller (scripts/browser-bundle.mjs).
 */
export const tuned: boolean = true
