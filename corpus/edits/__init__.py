"""Small edits of a script that keep what is wrong with it, or that nothing is: detection must hold under each."""
