"""Laws against brute force: random trainings whose every tensor is copied at every step, judged naively."""
