"""Recipes: portals described in TOML. Data, not code.

A recipe says how to sign in, where the cases are, and what their fields mean. It can make the program send requests to
the recipe's own hosts and parse the answers, and nothing else: nothing is evaluated, no file is opened, and every
count and size has a limit.

    model         a checked recipe
    placeholders  texts with {names} to be filled
    date_formats  the dates of a portal
    page/         an answer, locations on it, and the selectors and patterns that find them
    parse/        a recipe file, as a `Recipe` or as all its faults
    run/          signing in, paging, fetching; answers as a `Snapshot`; the saved session
    workshop/     writing and repairing recipes
"""
