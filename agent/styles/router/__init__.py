"""The router: rules find at most one tool for a question, fill in its arguments, and show its result as it is.

For models that can't plan. `courtesy` takes greetings and thanks off both ends. A question that is a calculation to
its last character (`sums`) goes to the calculator. Any other is read in four steps, one file each: `text` makes one
spelling of it, `patterns` (with `names`) find the dates, `template`, `shifts` and `dates` put letters in their places
and say which days they mean, and the rules (`durations`, `days`, `terms`) match what is left by its `signals`. There a
word that isn't in `words` means no tool: better none than a wrong one. What is no question about days may still be a
sum: `amounts` puts letters in the places of money, percentages and quantities, and `conversions`, `shares` (with
`sum_words`) and `prices` look for what is asked about them. `leads` picks the answer out of the tool's result; nothing
is answered without a tool.
"""
