"""The business modules. Each is a package whose face is its ``__init__``."""
