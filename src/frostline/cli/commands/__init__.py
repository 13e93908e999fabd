"""The commands, one file each, named in ``frostline.cli.group`` and loaded when they are called."""
