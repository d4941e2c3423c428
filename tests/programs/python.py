# SPDX-License-Identifier: MIT
# Threads that fill one dict, hand work over queues and verify all of it at every step.
# needs: python3
# start: python3 SOURCE
import hashlib
import os
import queue
import threading
import time

pid = os.getpid()
table = {}
lock = threading.Lock()
asked, answered = queue.Queue(), queue.Queue()


def worker(number):
    while True:
        step = asked.get()
        digest = hashlib.sha256(b"%d/%d" % (number, step)).hexdigest()
        with lock:
            for i in range(20):
                table[number, step, i] = digest * (i + 1)
        answered.put((number, threading.get_native_id()))


def verify():
    for (number, step, i), value in table.items():
        if value != hashlib.sha256(b"%d/%d" % (number, step)).hexdigest() * (i + 1):
            return "table[%d, %d, %d] differs" % (number, step, i)
    return None


threads = [threading.Thread(target=worker, args=(i,), daemon=True) for i in range(4)]
for thread in threads:
    thread.start()

n = 0
while True:
    n += 1
    for thread in threads:
        asked.put(n)
    ids = {answered.get()[1] for thread in threads}
    wrong = verify()
    if os.getpid() != pid:
        wrong = "PID is %d, was %d" % (os.getpid(), pid)
    elif not ids <= {int(task) for task in os.listdir("/proc/self/task")}:
        wrong = "a thread has another ID"
    print("%d %s" % (n, "bad: " + wrong if wrong else "ok"), flush=True)
    time.sleep(0.03)
