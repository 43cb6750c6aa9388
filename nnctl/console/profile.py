"""Where the time of a run went, as a table on stderr."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len, set_cell_size

from nnctl.console import output
from nnctl.console.text import clean
from nnctl.running.profile import LayerTime, Profile

WIDTH = 80
NUMBERS = 10  # letters of each of the four columns


def show_profile(profile: Profile) -> None:
    """Write the table, which is never wider than 80 letters."""
    output.tell("\n".join(lines(profile)))


def lines(profile: Profile) -> Iterator[str]:
    """A line for each part, under that of the layers one for each of them, those inside others under these."""
    whole = profile.seconds
    yield _line("", "forward", "backward", "seconds", "%")
    for part, seconds in profile.parts.items():
        if part == "layers":
            outer = [layer for layer in profile.layers if not layer.depth]
            ways = sum(layer.forward for layer in outer), sum(layer.backward for layer in outer)
            yield _line(part, *_ways(*ways), *_share(seconds, whole))
            for layer, name in _indented(profile.layers):
                yield _line(name, *_ways(layer.forward, layer.backward), *_share(layer.forward + layer.backward, whole))
        elif part == "loss":
            yield _line(part, *_ways(*profile.loss), *_share(seconds, whole))
        else:
            yield _line(part, "", "", *_share(seconds, whole))
    yield _line("whole", "", "", *_share(whole, whole))
    yield _line("of it in matrix products", "", "", *_share(profile.products, whole))


def _indented(layers: Iterable[LayerTime]) -> Iterator[tuple[LayerTime, str]]:
    """The layers with their places, those inside another indented and with their places in it, and their types."""
    around = [""]
    for layer in layers:
        del around[layer.depth + 1 :]
        yield layer, f"{'  ' * (layer.depth + 1)}{layer.name.removeprefix(around[-1])} {layer.type}"
        around.append(f"{layer.name}.")


def _ways(forward: float, backward: float) -> tuple[str, str]:
    return f"{forward:.3f}", f"{backward:.3f}"


def _share(seconds: float, whole: float) -> tuple[str, str]:
    return f"{seconds:.3f}", f"{100 * seconds / whole if whole else 0:.1f}"


def _line(name: str, *numbers: str) -> str:
    room = WIDTH - NUMBERS * len(numbers)
    text = clean(name)
    shown = set_cell_size(text, room) if cell_len(text) <= room else set_cell_size(text, room - 1) + "…"
    return shown + "".join(number.rjust(NUMBERS) for number in numbers)
