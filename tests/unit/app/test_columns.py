"""Text files of columns as spreadsheets and instruments write them: read, or refused by line."""

from pathlib import Path

import numpy as np
import pytest

from bathax.app import config
from bathax.app.config.columns import read_columns, spectral_density
from bathax.app.config.files import File

PLAIN = "t,number,number_error\n0,2.5,0.1\n1,,0.1\n2.5,1e-3,.1\n"
NUMBERS = {"t": [0.0, 1.0, 2.5], "number": [2.5, np.nan, 1e-3], "number_error": [0.1, 0.1, 0.1]}


def file(content):
    return File(Path("d.csv"), content if isinstance(content, bytes) else content.encode())


def numbers(content):
    columns = read_columns(file(content), "t,number")
    return {name: columns.numbers(name, gaps=name != "t") for name in columns.cells}


def refusal(content):
    with pytest.raises(config.StudyError) as caught:
        numbers(content)
    return str(caught.value)


WRITTEN = {
    "plain": PLAIN,
    "with a byte order mark": PLAIN.encode("utf-8-sig"),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16, the other order": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "Latin-1": "# à 20 µs\n".encode("latin-1") + PLAIN.encode(),
    "of Windows": PLAIN.replace("\n", "\r\n"),
    "of an old Macintosh": PLAIN.replace("\n", "\r"),
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "decimal commas": PLAIN.replace(",", ";").replace(".", ","),
    "spaces after commas": PLAIN.replace(",", " , "),
    "quotation marks": PLAIN.replace("t,number,", '"t","number",').replace(
        "2.5,1e-3", '"2.5","1e-3"'
    ),
    "trailing commas": PLAIN.replace("\n", ",\n"),
    "empty rows": PLAIN.replace("\n", "\n,,\n\n , ,\n"),
    "comments": "# by hand\n% in May\n" + PLAIN.replace("\n", "\n# a remark, and more\n"),
    "a header as NumPy writes it": "# by hand\n# " + PLAIN,
    "spaces": "#  t   number number_error\n 0  2.5 0.1\n1   nan  .1  \n2.5 1e-3   0.1",
    "a word for what is missing": PLAIN.replace(",,", ", N/A,"),
    "units": PLAIN.replace("t,number,number_error", "t [ps],number (1),number_error / 1"),
}


@pytest.mark.parametrize("content", WRITTEN.values(), ids=WRITTEN)
def test_one_meaning(content):
    found = numbers(content)
    assert [*found] == [*NUMBERS]
    for name, values in NUMBERS.items():
        np.testing.assert_array_equal(found[name], values)


REFUSED = [
    ("t,number,t\n1,2,3\n", "must name every column once in line 1, but has `t` twice."),
    ("t,number [a],number [b]\n1,2,3\n", "once in line 1, but has `number` twice."),
    ("t,,number\n1,2,3\n", "like `t,number`, in line 1, but has a column without one."),
    ("t,number\n1,2\n3\n", "must have 2 cells, as many as there are names, in line 3, but has 1."),
    ("t,number\n1,2,3\n", "must have 2 cells, as many as there are names, in line 2, but has 3."),
    ("t,number\n1,2 # bad\n", "a number or nothing as `number` in line 2, but has '2 # bad'."),
    ("t,number\n# x\n1,two\n", "a number or nothing as `number` in line 3, but has 'two'."),
    ("t,number\n,2\n", "must have a number as `t` in line 2, but has ''."),
    ("t,number\n1,inf\n", "as `number` in line 2, but has 'inf'."),
    ("t,number\n1,1e999\n", "as `number` in line 2, but has '1e999'."),
    ("t,number\n1,1_000\n", "as `number` in line 2, but has '1_000'."),
    ("t,number\n1,\u22122\n", "as `number` in line 2, but has '\u22122'."),
    ('t,number\n1,"2\n', "whose quotation marks are closed in line 2, but has '1,\"2'."),
    # A comma that may be a decimal one or belong to a thousand.
    ("t;number\n1;2,500\n", "as `number` in line 2, but has '2,500'."),
    ("t;number\n1.5;0,5\n", "as `number` in line 2, but has '0,5'."),
    ("1,2\n3,4\n", "that names the columns `t,number`, but line 1 is '1,2'."),
    ("# x\n", "that names the columns `t,number`, but it is empty."),
    ("t,number\n", "must have a line of numbers below the header."),
    (PLAIN.encode("utf-16-le"), "is not text; it should be saved as UTF-8."),
    (b"\xff\xfe\x00", "is not text; it should be saved as UTF-8."),
    (b"t,number\n1,2\x00\n", "is not text; it should be saved as UTF-8."),
]


@pytest.mark.parametrize(("content", "sentence"), REFUSED)
def test_no_meaning_or_two(content, sentence):
    assert refusal(content).startswith("File `d.csv` ")
    assert refusal(content).endswith(sentence)


def test_a_spectral_density():
    w, density = spectral_density(file("note;J(w);w\nfirst;0,5;1\n;1,5;2\n"))
    np.testing.assert_array_equal(w, [1.0, 2.0])
    np.testing.assert_array_equal(density, [0.5, 1.5])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("w,S\n1,2\n", "must have the columns `w,J`, but has w, S."),
        ("w [eV],J [meV]\n1,2\n", "`w` and `J` in the same unit, but has them in `eV` and `meV`."),
        ("w,J,J\n1,2,3\n", "must name every column once in line 1, but has `J` twice."),
        ("w,J\n1,\n", "must have a number as `J` in line 2, but has ''."),
    ],
)
def test_what_is_no_spectral_density(content, sentence):
    with pytest.raises(config.StudyError) as caught:
        spectral_density(file(content))
    assert str(caught.value).endswith(sentence)
