"""ONNX models: their initialisers and constants, in the file or beside it."""
