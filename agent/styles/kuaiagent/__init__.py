"""`kuaiagent`: the loop of KAgentSys. The model plans one task after another, reflects on what each gave, and answers.

`prompts` says what the model reads, `schema` what a plan may look like, `parse` makes a plan of whatever it wrote.
Names and formats are those of KAgentSys; the wording is ours.
"""
