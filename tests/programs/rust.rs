// SPDX-License-Identifier: MIT
// Threads with thread-local state, channels, and a map behind a lock.
// compiler: rustc
// prepare: rustc -O -o WORK/program SOURCE
// start: WORK/program
use std::cell::Cell;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{mpsc, Arc, RwLock};
use std::thread;
use std::time::Duration;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn text(step: u64, worker: u64) -> String {
    format!("step {step} of worker {worker} ").repeat(20)
}

fn main() {
    let table = Arc::new(RwLock::new(HashMap::new()));
    let pid = std::process::id();
    let (done, all_done) = mpsc::channel();
    let workers: Vec<_> = (0..4u64)
        .map(|worker| {
            let (ask, asked) = mpsc::channel::<u64>();
            let (table, done) = (table.clone(), done.clone());
            thread::spawn(move || {
                for step in asked {
                    CALLS.with(|calls| calls.set(calls.get() + 1));
                    table.write().unwrap().insert((step, worker), text(step, worker));
                    done.send(CALLS.with(Cell::get)).unwrap();
                }
            });
            ask
        })
        .collect();

    for n in 1u64.. {
        let mut verdict = String::from("ok");
        for ask in &workers {
            ask.send(n).unwrap();
        }
        for _ in &workers {
            let calls = all_done.recv().unwrap();
            if calls != n {
                verdict = format!("bad: a thread counted {calls} calls");
            }
        }
        for (&(step, worker), value) in table.read().unwrap().iter() {
            if *value != text(step, worker) {
                verdict = format!("bad: entry {step}/{worker} differs");
            }
        }
        if std::process::id() != pid {
            verdict = format!("bad: PID is not {pid}");
        }
        println!("{n} {verdict}");
        std::io::stdout().flush().unwrap();
        thread::sleep(Duration::from_millis(30));
    }
}
