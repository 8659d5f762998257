"""HTML to the text a person would read, by the standard library's parser; never fails."""

from __future__ import annotations

from html.parser import HTMLParser

_SILENT = frozenset({"script", "style", "noscript", "template", "svg", "head", "nav", "iframe"})
_BLOCKS = frozenset(
    {"p", "div", "br", "li", "ul", "ol", "tr", "table", "section", "article", "header", "footer",
     "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "dl", "main", "aside", "hr", "blockquote",
     "pre", "form", "option", "title"}
)  # fmt: skip
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr", "source", "col", "area"})


def html_text(html: str) -> str:
    """Return the visible text, a block a line, list items with a dash."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).splitlines())
    text = "\n".join(line for line in lines if line and line != "-")
    return text + "\n" if text else ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":
            self._silent.clear()
        elif tag in _SILENT and tag not in _VOID:
            self._silent.append(tag)
        elif tag in _BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            while self._silent.pop() != tag:
                continue
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            # A line break in the source is a space on the page.
            self.parts.append(" ".join(data.splitlines()) if data.strip() else " ")
