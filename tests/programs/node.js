// SPDX-License-Identifier: MIT
// Timers, promises, a growing map and work in the thread pool. libuv sits on an epoll descriptor.
// needs: node
// refused: eventpoll|epoll|eventfd|io_uring
// start: node SOURCE
'use strict';
const fs = require('fs');
const crypto = require('crypto');

const pid = process.pid;
const keys = new Map();

// In the thread pool, so that its threads have worked before the first save.
function derive(n) {
	return new Promise((resolve, reject) =>
		crypto.pbkdf2(`step ${n}`, 'salt', 10, 32, 'sha256', (err, key) => (err ? reject(err) : resolve(key))));
}

async function run() {
	for (let n = 1; ; n++) {
		keys.set(n, await derive(n));
		let wrong = process.pid === pid ? '' : `PID is ${process.pid}, was ${pid}`;
		for (const [i, key] of keys) {
			if (!crypto.pbkdf2Sync(`step ${i}`, 'salt', 10, 32, 'sha256').equals(key)) {
				wrong = `key ${i} differs`;
			}
		}
		fs.writeSync(1, `${n} ${wrong ? `bad: ${wrong}` : 'ok'}\n`);
		await new Promise((resolve) => setTimeout(resolve, 30));
	}
}

run();
