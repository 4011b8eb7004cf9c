// @ts-nocheck: it runs in a page of a browser; nothing else here may see a browser's globals.

/** What a reader of this page would not see, and which lines of code are broken into several. */
export function measure() {
  const isBroken = (one) => {
    const [first] = one.getClientRects()
    return first !== undefined && one.getBoundingClientRect().height > 1.6 * first.height
  }
  const problems = []
  const root = document.documentElement
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll('body *')].find(
      (one) => one.getBoundingClientRect().right > root.clientWidth + 1 && one.children.length === 0,
    )
    problems.push(`wider than the window: ${wide?.outerHTML.slice(0, 100)}`)
  }
  for (const one of document.querySelectorAll('.vp-doc pre, .vp-doc code, .vp-doc table')) {
    const box = one.getBoundingClientRect()
    const isClipped = one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== 'inline'
    if (isClipped || box.right > root.clientWidth + 1) problems.push(`clipped: ${one.textContent?.trim().slice(0, 80)}`)
  }
  const broken = [
    ...document.querySelectorAll('.vp-doc div[class*="language-"]:has(.lang:not(:empty)) pre .line'),
  ].filter(isBroken)
  const images = [...document.images].filter((one) => one.complete && one.naturalWidth === 0)
  return {
    problems: [...problems, ...images.map((one) => `no picture: ${one.src}`)],
    brokenLines: broken.map((one) => one.textContent?.trim().slice(0, 100) ?? ''),
  }
}
