"""Prepares docstrings and signatures for the reference."""

import inspect
import re
from dataclasses import is_dataclass

import griffe

import bathax

# An example, up to the next empty line.
EXAMPLE = re.compile(r"^>>> .*(?:\n.+)*", re.MULTILINE)
SIGNS = {r"\int ": "∫ ", r"\sum": "∑", r"\sqrt": "√"}
# Code between fences, indented or in backticks, or else a bracket like that of a bra.
CODE_OR_BRACKET = re.compile(r"```.*?```|^    [^\n]*$|`[^`]*`|<", re.DOTALL | re.MULTILINE)


class Reference(griffe.Extension):
    """Shows examples as code, and the parameters of classes whose fields make their `__init__`."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Make Markdown of a docstring."""
        if obj.docstring:
            text = EXAMPLE.sub(r"```pycon\n\g<0>\n```", obj.docstring.value)
            for name, sign in SIGNS.items():
                text = text.replace(name, sign)
            obj.docstring.value = CODE_OR_BRACKET.sub(without_tag, text)

    def on_package(self, *, pkg: griffe.Module, **_: object) -> None:
        """Give classes their parameters."""
        for name in bathax.__all__:
            made, shown = getattr(bathax, name), pkg[name]
            if has_fields(made) and "__init__" not in shown.members:
                target = shown.final_target if shown.is_alias else shown
                target.set_member("__init__", initialiser(made))


def without_tag(found: re.Match[str]) -> str:
    """Code as it is, and a bracket that begins no tag of HTML."""
    return "&lt;" if found[0] == "<" else found[0]


def has_fields(thing: object) -> bool:
    """Whether it is a class whose fields are the parameters of its `__init__`."""
    return inspect.isclass(thing) and (is_dataclass(thing) or issubclass(thing, tuple))


def initialiser(made: type) -> griffe.Function:
    """`__init__` with the names and the defaults of a class, without annotations."""
    listed = [
        griffe.Parameter(
            name, kind=griffe.ParameterKind[parameter.kind.name.lower()], default=written(parameter)
        )
        for name, parameter in inspect.signature(made).parameters.items()
    ]
    own = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
    return griffe.Function("__init__", parameters=griffe.Parameters(own, *listed))


def written(parameter: inspect.Parameter) -> str | None:
    """The default as a reader writes it."""
    default = parameter.default
    if default is inspect.Parameter.empty:
        return None
    return f"{default:g}" if hasattr(default, "dtype") else repr(default)
