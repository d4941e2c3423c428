# SPDX-License-Identifier: MIT
# A program that keeps its database open, with a page cache and prepared statements, as an application would.
# needs: python3
# momentary: lock
# start: python3 SOURCE
import sqlite3
import time

database = sqlite3.connect("data.db")
database.execute("PRAGMA cache_size = -4096")
database.execute("CREATE TABLE steps (n INTEGER PRIMARY KEY, text TEXT)")
n = 0
while True:
    n += 1
    with database:
        database.execute("INSERT INTO steps VALUES (?, ?)", (n, "step %d " % n * 40))
    wrong = [text for (text,) in database.execute("PRAGMA integrity_check") if text != "ok"]
    rows = database.execute("SELECT n, text FROM steps ORDER BY n").fetchall()
    if rows != [(i, "step %d " % i * 40) for i in range(1, n + 1)]:
        wrong.append("the rows differ")
    print("%d %s" % (n, "bad: %s" % wrong if wrong else "ok"), flush=True)
    time.sleep(0.03)
