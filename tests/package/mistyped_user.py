"""Two mistakes that type checkers find: a pattern that is a number, and a name that is not there."""

import frostline

with frostline.watch(object(), frozen=3) as watching:
    pass
watching.report.chekc()
