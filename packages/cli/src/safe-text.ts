/** What moves the cursor, rings, hides or turns the text around; a line feed and a tab do no harm between lines. */
const controls = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu

/** The text as it may stand on a terminal, whoever has written it. */
export function escapedControls(text: string): string {
  return text.replace(controls, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}
