"""The table `[parameters]` of a recipe file: what the recipe needs of the user."""

from typing import Final

from watcher.messages import _
from watcher.recipe.parameters import Parameter
from watcher.recipe.parse.about import whole_pattern, words_at
from watcher.recipe.parse.table import Table
from watcher.recipe.placeholders import NAME

_MAX_PARAMETERS: Final = 20


def read_parameters(top: Table, reserved: frozenset[str]) -> dict[str, Parameter]:
    """Return the parameters by name. `reserved` are the names of other placeholders."""
    table = top.table("parameters")
    if table is None:
        return {}
    if len(table.keys) > _MAX_PARAMETERS:
        top.add_fault("parameters", _("there are more than {limit} of them", limit=_MAX_PARAMETERS))
    parameters: dict[str, Parameter] = {}
    for name in table.keys:
        part = table.table(name)
        if not NAME.fullmatch(name):
            table.add_fault(name, _("a name consists of lowercase letters, digits, and _"))
        elif name in reserved:
            table.add_fault(name, _("this placeholder has another meaning; choose another name"))
        elif part is not None:
            parameters[name] = _parameter(name, part)
    return parameters


def _parameter(name: str, table: Table) -> Parameter:
    ask, pattern, default = words_at(table, "ask"), table.parse("pattern", whole_pattern) or "", table.value("default")
    if not ask:
        table.add_fault("ask", _('must say what to ask for, such as ask = "Date of birth (YYYY-MM-DD)"'))
    if default is not None and not isinstance(default, str):
        table.add_fault("default", _("must be text in quotes"))
    parameter = Parameter(
        name=name,
        ask=ask,
        secret=table.boolean("secret"),
        per_case=table.boolean("per_case"),
        default=default if isinstance(default, str) else None,
        pattern=pattern,
    )
    if parameter.secret and default is not None:
        table.add_fault("default", _("a secret has no default"))
    elif parameter.default and not parameter.accepts(parameter.default):
        table.add_fault("default", _("does not match pattern"))
    table.check_unknown_keys()
    return parameter
