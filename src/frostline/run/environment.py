"""What a process below an observed run needs to know at its start: the variable with its orders, whom to wait for."""

VARIABLE = "FROSTLINE_RUN"
NAMES = ("torch", "keras", "tf_keras", "jax")  # of the frameworks; to read their table takes longer than to start
