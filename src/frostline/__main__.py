"""``python -m frostline`` is the command line."""

from frostline.cli import main

if __name__ == "__main__":
    main()
