"""SIGTERM ends each process as early as it would without frostline, and what was trained is stored before."""

import signal

import pytest

from frostline.run.files import stored_run

EXPECTS = """
import ctypes, os, signal, threading, time
from frostline.run.ends import sigterm

sigterm._LOOKS = 5
sigterm.at_sigterm(lambda idle: print("told", idle, flush=True) or True, lambda: print("stuck", flush=True))

def sent_to_another_thread():
    # as if it came just before the main thread's blocking call: the C handler runs, and interrupts nothing
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

"""
BLOCKED = """
import multiprocessing
lock = multiprocessing.Lock()
lock.acquire()
threading.Thread(target=sent_to_another_thread, daemon=True).start()
lock.acquire()
"""
IN_FOREIGN_CODE = """
threading.Thread(target=sent_to_another_thread, daemon=True).start()
system, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(128)
system.pthread_mutex_lock(mutex)
threading.Timer(SECONDS, lambda: system.pthread_mutex_unlock(mutex)).start()
system.pthread_mutex_lock(mutex)  # no signal ends this
print("went on", flush=True)
"""
OWN_HANDLER = "signal.signal(signal.SIGTERM, lambda *_: print('own', flush=True))\n"
FORKS = """
pid = os.fork()
if not pid:
    print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, signal.set_wakeup_fd(-1), flush=True)
    print(signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ()), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_a_blocking_call_that_no_signal_interrupted_does_not_keep_the_process(shell) -> None:
    done = shell.python("-c", EXPECTS + BLOCKED)
    assert (done.status, done.stdout) == (-signal.SIGTERM, "told False\n")


def test_foreign_code_that_does_not_return_is_left_by_a_kill(shell) -> None:
    done = shell.python("-c", EXPECTS + IN_FOREIGN_CODE.replace("SECONDS", "600"))
    assert (done.status, done.stdout) == (-signal.SIGKILL, "stuck\n")


def test_a_script_that_handles_the_signal_is_not_killed_in_foreign_code(shell) -> None:
    done = shell.python("-c", EXPECTS + OWN_HANDLER + IN_FOREIGN_CODE.replace("SECONDS", "1.5"))
    assert (done.status, done.stdout) == (0, "own\nwent on\n")


def test_a_forked_process_dies_of_it_at_once(shell) -> None:
    done = shell.python("-c", EXPECTS + FORKS)
    assert done.stdout == "True -1\nFalse\n-15 False\n"


WORKERS = """
import multiprocessing, os, signal, sys, threading, time

def untrained(_):
    return signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, threading.active_count()

def trained():
    import torch
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        model(torch.ones(1, 2)).sum().backward()
        optimizer.step()
    threading.Thread(target=self_terminating, daemon=True).start()
    lock = multiprocessing.Lock()
    lock.acquire()
    lock.acquire()

def self_terminating():
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        print(pool.map(untrained, [0]))
    worker = context.Process(target=trained)
    worker.start()
    worker.join()
    print(worker.exitcode)
"""


@pytest.mark.needs("torch")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_that_wait_end_and_leave_what_they_trained(method: str, shell) -> None:
    shell.write("train.py", WORKERS)
    done = shell.observed("train.py", method)
    assert done.stdout == "[(True, 1)]\n-15\n"
    assert stored_run.load(shell.folder / ".frostline.json").run.steps == 3
