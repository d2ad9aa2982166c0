"""Support: what happened on the lines, for those who help callers and customers.

Owns no data: its pages are views over the calls of ``media`` and what other modules keep of them.
"""

REQUIRES: tuple[str, ...] = ("modules.directory", "modules.identity", "modules.portals.communicator")
