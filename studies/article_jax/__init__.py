"""The experiment this project grew out of, in flax and in equinox, which have no flag."""
