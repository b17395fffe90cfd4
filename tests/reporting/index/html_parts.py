"""What a page of HTML holds, read by Python's own parser."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link"}


@dataclass
class Element:
    """An element with its attributes and all the text inside it."""

    name: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class _Reader(HTMLParser):
    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag, attrs):
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].name == tag, f"</{tag}> closes <{self.open[-1].name}>"
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element.text += data


def elements(html: str, *names: str) -> list[Element]:
    """All elements of these names in their order; elements that overlap fail."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, f"never closed: {reader.open}"
    return [element for element in reader.elements if element.name in names]


def texts(html: str, *names: str) -> list[str]:
    """The texts inside all elements of these names."""
    return [element.text for element in elements(html, *names)]
