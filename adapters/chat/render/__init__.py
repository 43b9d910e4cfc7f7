"""Model text as a document whose parts a platform writes in markup of its own, and whether its links are honest.

`reading.py` parses, `document.py` gives the blocks, `runs.py` is one line of them, `addresses.py` judges links,
`fitting.py` cuts what a platform has made of it. It knows no platform's markup, and it keeps nothing.
"""
