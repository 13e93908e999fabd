"""How a process ends: by itself, or by a signal; what it trained is stored before."""
