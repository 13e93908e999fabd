"""Code that watches in places where the compiler, tracers and other threads are at work too."""
