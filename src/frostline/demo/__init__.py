"""The experiment that frostline grew out of, as an ordinary training script that knows nothing of frostline."""
