"""Starts two processes that train together; the argument is what the second one adds to its head."""

import socket
import subprocess
import sys
from pathlib import Path

with socket.socket() as listener:
    listener.bind(("127.0.0.1", 0))
    port = str(listener.getsockname()[1])
train = str(Path(__file__).with_name("rank.py"))
started = [subprocess.Popen([sys.executable, train, str(rank), port, sys.argv[1]]) for rank in range(2)]
sys.exit(max(process.wait() for process in started))
