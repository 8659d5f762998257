// How many log lines there were, by level, over time; a stretch can be looked at closer.
import { useRef, useState } from 'preact/hooks'
import { css, LEVELS, levelColor } from '../colors.js'
import { count, plural } from '../format.js'
import { zoom } from '../range.js'
import { clock, moment } from '../time.js'

const HEIGHT = 64

export function Histogram({ buckets, range }) {
  const box = useRef(null)
  const [drag, setDrag] = useState(null)
  const [over, setOver] = useState(null)
  const totals = buckets.map(({ counts }) => Object.values(counts).reduce((sum, one) => sum + one, 0))
  const most = Math.max(1, ...totals)
  const width = 100 / Math.max(1, buckets.length)
  const seconds = (range.end - range.start) / Math.max(1, buckets.length)
  const indexAt = (event) => {
    const { left, width: pixels } = box.current.getBoundingClientRect()
    return Math.max(0, Math.min(buckets.length - 1, Math.floor(((event.clientX - left) / pixels) * buckets.length)))
  }
  const down = (event) => {
    box.current.setPointerCapture(event.pointerId)
    setDrag([indexAt(event), indexAt(event)])
  }
  const move = (event) => {
    setOver(indexAt(event))
    if (drag) setDrag([drag[0], indexAt(event)])
  }
  const up = () => {
    if (!drag) return
    const [first, last] = [Math.min(...drag), Math.max(...drag)]
    setDrag(null)
    zoom(buckets[first].start, buckets[last].start + seconds)
  }
  const sum = totals.reduce((all, one) => all + one, 0)
  return (
    <figure class="histogram">
      <svg
        ref={box}
        viewBox={`0 0 100 ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${plural(sum, 'line')}, ${summary(buckets)}`}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerLeave={() => setOver(null)}
      >
        {buckets.map((bucket, index) => (
          <Bar key={bucket.start} bucket={bucket} x={index * width} width={width} most={most} lit={over === index} />
        ))}
        {drag && (
          <rect
            class="histogram-drag"
            x={Math.min(...drag) * width}
            width={(Math.abs(drag[1] - drag[0]) + 1) * width}
            y="0"
            height={HEIGHT}
          />
        )}
      </svg>
      <figcaption>
        <span>{moment(range.start)}</span>
        <span class="histogram-middle">
          {over !== null && buckets[over] ? `${clock(buckets[over].start)}: ${wordsOf(buckets[over].counts)}` : plural(sum, 'line')}
        </span>
        <span>{moment(range.end)}</span>
      </figcaption>
    </figure>
  )
}

function Bar({ bucket, x, width, most, lit }) {
  let top = HEIGHT
  return (
    <g>
      <rect class={lit ? 'histogram-slot lit' : 'histogram-slot'} x={x} y="0" width={width} height={HEIGHT} />
      {LEVELS.filter((level) => bucket.counts[level])
        .reverse()
        .map((level) => {
          const height = Math.max(1, (bucket.counts[level] / most) * (HEIGHT - 2))
          top -= height
          return (
            <rect key={level} x={x + width * 0.1} y={top} width={width * 0.8} height={height} style={{ fill: css(levelColor(level)) }} />
          )
        })}
    </g>
  )
}

const wordsOf = (counts) =>
  LEVELS.filter((level) => counts[level]).map((level) => `${count(counts[level])} ${level.toLowerCase()}`).join(', ') || 'none'

function summary(buckets) {
  const all = {}
  for (const { counts } of buckets) {
    for (const [level, number] of Object.entries(counts)) all[level] = (all[level] ?? 0) + number
  }
  return wordsOf(all)
}
