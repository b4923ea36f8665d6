"""Around a run of the workflow: going on after a kill, the terminal, and the summary at the end."""
