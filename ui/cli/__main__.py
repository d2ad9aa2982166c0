"""``python -m ui.cli COMMAND``."""

from ui.cli import main

if __name__ == "__main__":
    main(prog_name="cms")
