"""Documents: PDF files written by WeasyPrint from templates.

``operations`` has the verb that diagrams use, ``paper`` starts the process that prints, ``press`` is that process.
A template sees plain values only; resources it may name are ``data:`` URLs and ``asset:`` files.
"""
