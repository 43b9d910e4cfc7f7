"""For operators: setting the app up, and finding what is wrong beforehand.

Of this a running server uses what must agree with how it was set up (`manifest.py`: names of commands, paths, scopes),
the check of its settings at the start (`doctor.problems`), and what refusals of a token mean (`checking.said`); nothing
here serves anybody.
"""
