// What a link to the site looks like in a chat: 1200 by 630.
import { readJson } from '../prepare.mjs'
import { scaled } from './logo.mjs'

export const socialSize = { width: 1200, height: 630 }

export function social() {
  const { description } = readJson('package.json')
  const [name = '', rest = ''] = description.split(': ')
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="630" viewBox="0 0 1200 630">
<title>Godwit</title>
<rect width="1200" height="630" fill="#fdf4ec"/>
<path d="M0 520C220 470 420 560 640 520S1020 470 1200 520V630H0Z" fill="#e9cdb6"/>
<path d="M0 560C240 520 460 600 700 560S1040 530 1200 560V630H0Z" fill="#d9a985"/>
${scaled(6, 730, 10)}
<g font-family="DejaVu Sans, Verdana, sans-serif" fill="#3a1d0e">
<text x="80" y="230" font-size="112" font-weight="bold">Godwit</text>
<text x="84" y="310" font-size="46">${name}</text>
<text x="84" y="392" font-size="29" fill="#6b3d22">${rest.replace(/\.$/, '')}</text>
</g>
</svg>
`
}
