// A panel of text: the part of Markdown that dashboards use, built as elements, never as HTML.
import { interpolate } from './variables.js'

export function Text({ panel, variables }) {
  const text = interpolate(panel.options?.content ?? panel.content ?? '', variables)
  return <div class="prose">{blocks(text)}</div>
}

function blocks(text) {
  return text.split(/\n{2,}/).map((block, index) => {
    const heading = /^(#{1,4})\s+(.*)$/s.exec(block)
    if (heading) return <p key={index} class={`heading-${heading[1].length}`}>{inline(heading[2])}</p>
    const lines = block.split('\n').filter(Boolean)
    if (lines.length && lines.every((line) => /^\s*[-*]\s/.test(line))) {
      return (
        <ul key={index}>
          {lines.map((line, at) => (
            <li key={at}>{inline(line.replace(/^\s*[-*]\s/, ''))}</li>
          ))}
        </ul>
      )
    }
    return <p key={index}>{inline(block)}</p>
  })
}

function inline(text) {
  const pieces = text.split(/(`[^`]+`|\*\*[^*]+\*\*|\[[^\]]+\]\([^)\s]+\))/)
  return pieces.map((piece, index) => {
    if (/^`.+`$/.test(piece)) return <code key={index}>{piece.slice(1, -1)}</code>
    if (/^\*\*.+\*\*$/.test(piece)) return <strong key={index}>{piece.slice(2, -2)}</strong>
    const link = /^\[([^\]]+)\]\(((?:https?:\/\/|#)[^)\s]+)\)$/.exec(piece)
    return link ? <a key={index} href={link[2]} rel="noreferrer">{link[1]}</a> : piece
  })
}
