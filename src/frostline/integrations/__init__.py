"""Where users already are: the pytest plugin, callbacks, and what is written for other tools."""
