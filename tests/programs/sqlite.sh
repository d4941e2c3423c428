#!/bin/bash
# SPDX-License-Identifier: MIT
# The sqlite3 shell with an open database, fed through a FIFO by its parent; the database checks itself at every step.
# Its locks last for one transaction: a save that meets one is refused, and tried again.
# needs: sqlite3 stdbuf
# momentary: lock
# start: bash SOURCE
mkfifo statements
# stdbuf: the shell would keep what it prints until its buffer is full.
stdbuf -oL sqlite3 -batch -noheader data.db <statements &
exec 3>statements
echo "CREATE TABLE steps (n INTEGER PRIMARY KEY, content BLOB, hash TEXT);" >&3
for ((n = 1; ; n++)); do
	cat >&3 <<-END
		BEGIN;
		INSERT INTO steps VALUES ($n, randomblob(2000), NULL);
		UPDATE steps SET hash = hex(substr(content, 1, 8)) WHERE n = $n;
		COMMIT;
		SELECT $n || ' ' || CASE
			WHEN (SELECT integrity_check FROM pragma_integrity_check) <> 'ok' THEN 'bad: integrity_check'
			WHEN (SELECT count(*) FROM steps) <> $n THEN 'bad: rows are missing'
			WHEN EXISTS (SELECT 1 FROM steps WHERE hash <> hex(substr(content, 1, 8))) THEN 'bad: a row differs'
			ELSE 'ok' END;
	END
	sleep 0.05
done
