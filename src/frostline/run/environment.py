"""The environment variable by which a run tells the processes below it to be observed."""

VARIABLE = "FROSTLINE_RUN"
