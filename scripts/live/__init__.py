"""What the checks against real chat platforms have in common: steps, their report, what people are asked to do."""
