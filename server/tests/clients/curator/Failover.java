// Curator's recipes on an ensemble whose leader is lost meanwhile: a lock, a leader latch, a cache, an
// ephemeral node, a counter.
//
// The program makes /ready once it holds all that it is to keep, and goes on when /go appears. What was held
// by then is still held; the first surprise ends the program.

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.retry.RetryForever;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;

public final class Failover {
    private static final int LIMIT_SECONDS = 20;
    private static final int TRIES_EVERY_MS = 50;
    private static final int LOSSES_MAX = 10;

    private static CuratorFramework one;
    private static CuratorFramework other;

    public static void main(String[] args) throws Exception {
        one = client(args[0]);
        other = client(args[0]);
        long session = one.getZookeeperClient().getZooKeeper().getSessionId();

        InterProcessMutex mine = new InterProcessMutex(one, "/lock");
        mine.acquire();
        CountDownLatch had = new CountDownLatch(1);
        Thread waiting = waitFor(new InterProcessMutex(other, "/lock"), had);
        LeaderLatch first = new LeaderLatch(one, "/leader", "first");
        LeaderLatch second = new LeaderLatch(other, "/leader", "second");
        first.start();
        check("the first leads", first.await(LIMIT_SECONDS, TimeUnit.SECONDS));
        second.start();
        PersistentNode node = new PersistentNode(one, CreateMode.EPHEMERAL, false, "/node", bytes("here"));
        node.start();
        check("the node is there", node.waitForInitialCreate(LIMIT_SECONDS, TimeUnit.SECONDS));
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        CuratorCache cache = cache(seen);
        Counter counter = new Counter();
        counter.start();

        other.create().forPath("/ready");
        await("the word to go on", () -> exists("/go"));

        counter.end();
        check("the session is the same", one.getZookeeperClient().getZooKeeper().getSessionId() == session);
        check("the lock is held", mine.isAcquiredInThisProcess() && had.getCount() == 1);
        mine.release();
        check("a released lock is had", had.await(LIMIT_SECONDS, TimeUnit.SECONDS));
        waiting.join();
        await("one leads", () -> first.hasLeadership() != second.hasLeadership());
        (first.hasLeadership() ? first : second).close();
        await("the other follows", () -> first.hasLeadership() || second.hasLeadership());
        check("the node is still there", exists("/node"));
        other.setData().forPath("/cache", bytes("late"));
        for (String found = ""; !found.equals("changed late");) {
            found = seen.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
            check("the cache sees what changes", found != null);
        }
        cache.close();
        System.out.println("done");
        System.exit(0);
    }

    private static CuratorFramework client(String addresses) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.builder()
            .connectString(addresses)
            .sessionTimeoutMs(20000)
            .connectionTimeoutMs(3000)
            .retryPolicy(new RetryForever(100))
            .build();
        client.start();
        check("connected", client.blockUntilConnected(LIMIT_SECONDS, TimeUnit.SECONDS));
        return client;
    }

    private static Thread waitFor(InterProcessMutex lock, CountDownLatch had) {
        Thread waiting = new Thread(() -> {
            try {
                lock.acquire();
                had.countDown();
                lock.release();
            } catch (Exception error) {
                error.printStackTrace();
            }
        });
        waiting.start();
        return waiting;
    }

    private static CuratorCache cache(BlockingQueue<String> seen) throws Exception {
        one.create().forPath("/cache", bytes("early"));
        CuratorCache cache = CuratorCache.build(one, "/cache");
        cache.listenable().addListener(CuratorCacheListener.builder()
            .forInitialized(() -> seen.add("initialized"))
            .forChanges((old, node) -> seen.add("changed " + new String(node.getData())))
            .build());
        cache.start();
        check("the cache is filled", "initialized".equals(seen.poll(LIMIT_SECONDS, TimeUnit.SECONDS)));
        return cache;
    }

    /** Adds one again and again: every addition that was acknowledged counts, and no other. */
    private static final class Counter extends Thread {
        private final DistributedAtomicLong counter =
            new DistributedAtomicLong(other, "/counter", new RetryNTimes(10, TRIES_EVERY_MS));
        private final AtomicBoolean isOver = new AtomicBoolean();
        private final AtomicLong done = new AtomicLong();
        private final AtomicLong unknown = new AtomicLong();

        @Override
        public void run() {
            while (!isOver.get()) {
                try {
                    AtomicValue<Long> added = counter.increment();
                    (added.succeeded() ? done : unknown).incrementAndGet();
                } catch (Exception error) {
                    unknown.incrementAndGet();
                }
            }
        }

        private void end() throws Exception {
            long before = done.get();
            await("the counter goes on", () -> done.get() > before + 10);
            isOver.set(true);
            join();
            long value = counter.get().postValue();
            System.out.println(done + " counted, " + unknown + " unknown, " + value + " found");
            check("what was acknowledged is counted", done.get() <= value);
            // Curator tries again what it has no answer to: one lost connection, one addition too many.
            check("nothing else is", value <= done.get() + unknown.get() + LOSSES_MAX);
        }
    }

    private static boolean exists(String path) {
        try {
            return other.checkExists().forPath(path) != null;
        } catch (Exception error) {
            return false;
        }
    }

    private static void await(String what, BooleanSupplier holds) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(3 * LIMIT_SECONDS);
        while (!holds.getAsBoolean()) {
            check(what, System.nanoTime() < deadline);
            // Nobody unparks this thread: the pause only keeps the looks apart.
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(TRIES_EVERY_MS));
        }
    }

    private static void check(String what, boolean holds) {
        if (!holds) {
            System.out.println("failed: " + what);
            System.exit(1);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes();
    }
}
