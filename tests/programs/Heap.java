// SPDX-License-Identifier: MIT
// A heap that is filled and collected by several threads under compiled code, verified at every step.
// needs: java javac
// prepare: javac -d WORK SOURCE
// start: java -Xmx64m -cp WORK Heap
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.zip.CRC32;

public class Heap {
	static final int THREADS = 4, KEPT = 200;
	static final Map<Integer, byte[]> blocks = new ConcurrentHashMap<>();
	static final Map<Integer, Long> sums = new ConcurrentHashMap<>();
	static final CyclicBarrier start = new CyclicBarrier(THREADS + 1), end = new CyclicBarrier(THREADS + 1);
	static volatile int step;

	static long sum(byte[] bytes) {
		CRC32 crc = new CRC32();
		crc.update(bytes);
		return crc.getValue();
	}

	static void work(int number) {
		try {
			for (;;) {
				start.await();
				int key = (step * THREADS + number) % KEPT;
				byte[] block = new byte[8192 + key];
				for (int i = 0; i < block.length; i++)
					block[i] = (byte) (i * 31 + step + number);
				blocks.put(key, block);
				sums.put(key, sum(block));
				end.await();
			}
		} catch (Exception e) {
			e.printStackTrace();
			System.exit(1);
		}
	}

	static String verify(long pid) {
		for (Map.Entry<Integer, byte[]> entry : blocks.entrySet())
			if (sum(entry.getValue()) != sums.get(entry.getKey()))
				return "bad: block " + entry.getKey() + " differs";
		if (ProcessHandle.current().pid() != pid)
			return "bad: PID is not " + pid;
		return "ok";
	}

	public static void main(String[] args) throws Exception {
		long pid = ProcessHandle.current().pid();

		for (int i = 0; i < THREADS; i++) {
			int number = i;
			Thread thread = new Thread(() -> work(number), "worker-" + i);
			thread.setDaemon(true);
			thread.start();
		}
		for (int n = 1;; n++) {
			step = n;
			start.await();
			end.await();
			System.out.println(n + " " + verify(pid));
			System.out.flush();
			Thread.sleep(20);
		}
	}
}
