"""JMESPath expressions of a recipe, evaluated within limits. The only module that imports JMESPath."""

import time
from typing import Any, Final

import jmespath
import jmespath.exceptions
from jmespath.functions import Functions, signature
from jmespath.visitor import Options, TreeInterpreter

from watcher.messages import _
from watcher.model.change import Json
from watcher.recipe.page.budget import OutOfTime

_MAX_PICKED: Final = 10
"""Values that the multi-select lists and objects of an expression may name; each can multiply the amount of data."""
_PROJECTIONS: Final = frozenset({"projection", "filter_projection", "value_projection", "flatten"})
_CHAINS: Final = frozenset({"pipe", "subexpression"})
_MULTI_SELECTS: Final = frozenset({"multi_select_list", "multi_select_dict"})

JsonQueryFailed: Final = jmespath.exceptions.JMESPathError


class JsonQuery:
    """A parsed expression."""

    def __init__(self, text: str) -> None:
        """Raises `JsonQueryFailed`, or ValueError with what to correct."""
        try:
            self._parsed = jmespath.compile(text).parsed
            picked = _count_picked(self._parsed)
        except RecursionError:
            raise ValueError(_("the JMESPath expression is nested too deeply")) from None
        if picked > _MAX_PICKED:
            raise ValueError(
                _("the JMESPath expression picks more than {limit} values for lists or objects", limit=_MAX_PICKED)
            )

    def values(self, document: Json, until: float) -> list[Any]:
        """Return the results: those of a projection (`cases[*]`), or the only one. May contain None.

        Raises `OutOfTime` soon after `until` (monotonic), `JsonQueryFailed`, and RecursionError.
        """
        result = _Interpreter(until).visit(self._parsed, document)
        return result if isinstance(result, list) and _is_projection(self._parsed) else [result]


class _Interpreter(TreeInterpreter):  # type: ignore[misc]  # the library has no type information
    def __init__(self, until: float) -> None:
        super().__init__(Options(custom_functions=_Functions()))
        self._until = until

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        if time.monotonic() > self._until:
            raise OutOfTime
        return super().visit(node, *args, **kwargs)


class _Functions(Functions):  # type: ignore[misc]  # as above
    @signature({"types": ["string", "number", "boolean"]})  # type: ignore[untyped-decorator]  # as above
    def _func_to_string(self, value: Any) -> Any:
        """Convert a scalar; the text of a list or an object could be many times the size of the answer."""
        return Functions._func_to_string(self, value)  # noqa: SLF001 - what it replaces


def _count_picked(node: Any) -> int:
    own = len(node["children"]) if node["type"] in _MULTI_SELECTS else 0
    return own + sum(_count_picked(child) for child in node["children"] if isinstance(child, dict))


def _is_projection(node: Any) -> bool:
    """Return whether the result is a list of results (`cases[*]`) rather than one value (`cases`)."""
    return node["type"] in _PROJECTIONS or (node["type"] in _CHAINS and _is_projection(node["children"][-1]))
