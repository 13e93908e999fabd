"""The lines of the script that findings point at, and what is to be done there."""
