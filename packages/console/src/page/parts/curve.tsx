import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { clockTime } from '../format.js'
import { prefersDark, theme } from '../theme.js'
import 'uplot/dist/uPlot.min.css'

/** Values over time; undefined: not known. */
export interface Series {
  readonly name: string
  readonly values: readonly (number | null)[]
}

interface CurveProps {
  /** What it shows, for those who do not see it. */
  readonly label: string
  /** Epoch seconds. */
  readonly times: readonly number[]
  readonly series: readonly Series[]
  readonly format: (value: number) => string
  /** With axes and a legend. Default: a small one without. */
  readonly isLarge?: boolean
  /** Whether 0 is always in it. Default true. */
  readonly isFromZero?: boolean
}

const colours = ['--one', '--two', '--three']

/** Curves over time. */
export function Curve({ label, times, series, format, isLarge = false, isFromZero = true }: CurveProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const shown = useRef(format)
  shown.current = format
  const names = series.map(({ name }) => name).join('\n')
  useEffect(() => {
    const { current } = box
    if (!current) return
    const made = new uPlot(
      optionsOf(
        current,
        series,
        (name) => colourOf(current, name),
        { isLarge, isFromZero },
        (value) => shown.current(value),
      ),
      [[]],
      current,
    )
    plot.current = made
    const fit = (): void => made.setSize({ width: current.clientWidth, height: current.clientHeight })
    const observer = new ResizeObserver(fit)
    observer.observe(current)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [names, isLarge, isFromZero, theme.value, prefersDark.value])
  useEffect(() => {
    plot.current?.setData([[...times], ...series.map(({ values }) => [...values])] as uPlot.AlignedData)
  })
  return <div class="curve" role="img" aria-label={label} ref={box} />
}

/** A colour of the page as a canvas takes it. */
function colourOf(box: HTMLElement, name: string): string {
  const probe = document.createElement('i')
  probe.style.color = `var(${name})`
  box.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

function optionsOf(
  box: HTMLElement,
  series: readonly Series[],
  colour: (name: string) => string,
  { isLarge, isFromZero }: { readonly isLarge: boolean; readonly isFromZero: boolean },
  format: (value: number) => string,
): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: colour('--muted'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
  return {
    width: box.clientWidth || 200,
    height: box.clientHeight || 56,
    legend: { show: false },
    cursor: { show: isLarge },
    padding: isLarge ? [8, 8, 0, 0] : [3, 0, 3, 0],
    scales: { x: { time: true }, y: isFromZero ? { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } : {} },
    axes: isLarge
      ? [
          { ...axis, space: 90, values: (_, ticks) => ticks.map((tick) => clockTime(tick * 1_000)) },
          { ...axis, size: 64, values: (_, ticks) => ticks.map(format) },
        ]
      : [{ show: false }, { show: false }],
    series: [
      {},
      ...series.map(({ name }, at) => ({
        label: name,
        stroke: colour(colours[at % colours.length]!),
        width: 1.6,
        points: { show: false },
        spanGaps: false,
        ...(at === 0 &&
          series.length === 1 && { fill: colour(colours[0]!).replace(/^rgb\((.*)\)$/, 'rgba($1, 0.13)') }),
      })),
    ],
  }
}
