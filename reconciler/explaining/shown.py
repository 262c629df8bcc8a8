"""An explanation as a person reads it."""

from collections.abc import Iterator

from reconciler.explaining.links import Explanation, Mark

_WIDTH = max(len(mark.value) for mark in Mark)


def lines_of(explanation: Explanation) -> Iterator[str]:
    """The resource, a line for each link in order, the first wrong one once more, and what comes next."""
    yield explanation.resource
    for link in explanation.links:
        yield printable(f"  {link.mark.value.ljust(_WIDTH)}  {link.about}: {link.says}")
    yield ""
    first = explanation.first_wrong
    if first is not None:
        yield printable(f"Wrong first: {first.about}: {first.says}{'' if first.says.endswith('?') else '.'}")
    elif any(link.mark is Mark.UNKNOWN for link in explanation.links):
        yield "Nothing is found to be wrong; not all can be told from here."
    else:
        yield "Nothing is wrong."
    for sentence in explanation.next_run:
        yield printable(sentence)
    if explanation.events:
        yield ""
        yield "Latest events:"
        for event in explanation.events:
            yield printable(f"  {event}")


def printable(text: str) -> str:
    """What others wrote into the cluster, without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
