"""The media agent: one pjsua2 endpoint in a process of its own, driven by hosts through ``media.protocol``.

    __main__ → agent → call → verbs → sound, speech
                 │       └──────→ endpoint   (the only importer of pjsua2)
                 └→ link → resp              (Redis, in threads that never touch pjsua2)

Everything but ``link``'s and ``speech``'s threads runs on the main thread; they hand over work by ``Loop.post``.
``dialer`` is the other program here: the caller behind ``./cms dial``.
"""
