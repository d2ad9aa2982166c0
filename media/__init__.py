"""Calls: the ``call.*`` operations, the protocol to the media agents, the agents themselves and the SIP edge.

``operations`` → ``calls`` (rows, leases) → ``protocol`` ← ``agent/``. Only ``agent`` touches pjsua2.
"""
