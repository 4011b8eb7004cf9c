// The bird: a bar-tailed godwit in flight, long bill forward. On a disc where it stands alone, without one where it lies on
// a picture.

const rust = '#b4531f'
const dark = '#7c3412'
const light = '#f3d9c5'

/** The bird in a box of 64 by 64, without a ground. */
export const bird = `<g stroke-linejoin="round" stroke-linecap="round">
<path d="M46 29.6C52 29.4 57 28.6 62 26.6" fill="none" stroke="${dark}" stroke-width="1.7"/>
<path d="M12 37C17 39.6 23 41.4 29 41.2C36 41 41 37.6 43.6 34.2C46.4 34 48.4 32 48.2 29.6C48 27 45.6 25.6 43.2 26.2C41 26.8 39.8 28.6 38 30.4C31 30.2 22 32 12 37Z" fill="${rust}"/>
<path d="M12 37L3 37.6L5.6 39.2L3.6 41L14 38.4Z" fill="${dark}"/>
<path d="M36.6 32.6C31 23 22 13.6 9 8C13.6 17 18 26.4 25 34.4C29 36 33.6 35.2 36.6 32.6Z" fill="${dark}"/>
<path d="M33 31.6C28 24 21.4 17.4 13.4 12.6C17.4 19.6 21.6 26.4 26.8 32.4Z" fill="${light}" opacity="0.35"/>
<path d="M38 33C40.6 25.6 41.4 16 37.6 5.6C33.6 13 30 21.6 30.2 30Z" fill="${rust}"/>
<path d="M24 40.6L14.6 45.4M27 41.2L18.6 46.6" fill="none" stroke="${dark}" stroke-width="1.1"/>
<circle cx="44.9" cy="28.9" r="0.95" fill="#20130c"/>
</g>`

/** @param {string} inside */
const picture = (inside, title = 'Godwit') =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" aria-label="${title}">\n${inside}\n</svg>\n`

/** On a light disc, which every background bears. */
export const logo = () => picture(`<circle cx="32" cy="32" r="32" fill="#fdf4ec"/>\n${scaled(0.86, 4.2, 7)}`)

/** The same for a tab: larger in its box. */
export const favicon = () =>
  picture(`<rect width="64" height="64" rx="14" fill="#fdf4ec"/>\n${scaled(1.02, -1.4, 6.5)}`)

/** @param {number} by @param {number} x @param {number} y */
export const scaled = (by, x, y) => `<g transform="translate(${x} ${y}) scale(${by})">${bird}</g>`
