"""For operators: setting the bot up, and finding what is wrong beforehand.

Of this a running server uses what must agree with how it was set up (`permissions.py`), and the check of its settings
at the start (`doctor.problems`); nothing here serves anybody.
"""
