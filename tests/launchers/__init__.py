"""Trainings under the launchers that people use, each healthy and with a fault in a process that is not the first."""
