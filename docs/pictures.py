"""The pictures in README.md: some figures of the papers, small. `make pictures` draws them anew."""

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from bathax.app.figures import write_only

NAMES = ("phases_exponent", "np_rates", "fig5_border", "np_reservoir")
FOLDER = Path(__file__).parent / "assets"
# Pixels across, and the number of colours, which makes files a third as large.
WIDTH, COLOURS = 560, 256


def main() -> None:
    """Draw the figures, and write the pictures."""
    with TemporaryDirectory() as folder:
        write_only(folder, NAMES)
        for name in NAMES:
            small(Image.open(f"{folder}/{name}.png")).save(FOLDER / f"{name}.png", optimize=True)


def small(figure: Image.Image) -> Image.Image:
    """A figure of fewer pixels and colours."""
    height = round(figure.height * WIDTH / figure.width)
    figure = figure.convert("RGB").resize((WIDTH, height), Image.Resampling.LANCZOS)
    return figure.quantize(COLOURS, kmeans=3)


if __name__ == "__main__":
    main()
