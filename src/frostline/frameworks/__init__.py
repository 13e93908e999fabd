"""One probe per framework, each loaded only once the script itself has imported that framework."""
