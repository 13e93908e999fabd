"""Calls a training function of a package of the user's own."""

from fitting.loop import fit
from fitting.model import Classifier

fit(Classifier(), steps=12)
