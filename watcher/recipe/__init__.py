"""Recipes: portals described in TOML. Data, not code.

A recipe says how to sign in, where the cases are and what their fields mean. All that it can make the program do is
to send requests to the recipe's own hosts and to read the answers: nothing is evaluated, no file is opened, and every
count and size has a bound.

    lines         where in the file a key stands
    table         one table of the file, read key by key, every fault noted
    requests      what is sent, as the tables write it
    case_table    the table of a case's page
    check         the whole file to a `Recipe`, or to every fault in it
    model         what a checked recipe is
    placeholders  texts with {names} to be filled
    patterns      regular expressions that come to an end
    markup        HTML as a tree, and what a person sees of it
    page          an answer, and a place on it
    selectors     how a place is found
    dates         what a portal's date means
    read          answers to a `Snapshot`; pure
    session       what outlives the process: cookies, taken values, what was found
    walk          signing in, paging, fetching
    workshop      writing and repairing recipes
"""
