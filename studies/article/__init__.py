"""The experiment this project grew out of, with its variants."""
