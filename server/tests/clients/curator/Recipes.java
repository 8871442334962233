// Curator's recipes on one server: a lock, a leader latch, caches, a transaction.
//
// Each recipe prints a line when it did what it promises; the first surprise ends the program.

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;

public final class Recipes {
    private static final int LIMIT_SECONDS = 20;

    private static CuratorFramework one;
    private static CuratorFramework other;

    public static void main(String[] args) throws Exception {
        one = client(args[0]);
        other = client(args[0]);
        lock();
        readWriteLock();
        leaderLatch();
        cache();
        sharedCount();
        transaction();
        container();
        one.close();
        other.close();
        System.out.println("done");
    }

    private static CuratorFramework client(String address) throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.builder()
            .connectString(address)
            .sessionTimeoutMs(10000)
            .retryPolicy(new RetryOneTime(100))
            .build();
        client.start();
        check("connected", client.blockUntilConnected(LIMIT_SECONDS, TimeUnit.SECONDS));
        return client;
    }

    private static void lock() throws Exception {
        InterProcessMutex mine = new InterProcessMutex(one, "/lock");
        InterProcessMutex theirs = new InterProcessMutex(other, "/lock");
        mine.acquire();
        mine.acquire();
        check("a held lock is not had twice", !theirs.acquire(200, TimeUnit.MILLISECONDS));
        mine.release();
        check("a lock is reentrant", mine.isAcquiredInThisProcess());
        CountDownLatch had = new CountDownLatch(1);
        Thread waiting = new Thread(() -> {
            try {
                theirs.acquire();
                had.countDown();
                theirs.release();
            } catch (Exception error) {
                error.printStackTrace();
            }
        });
        waiting.start();
        awaitChildren("/lock", 2);
        mine.release();
        check("a released lock is had", had.await(LIMIT_SECONDS, TimeUnit.SECONDS));
        waiting.join();
        System.out.println("lock ok");
    }

    private static void readWriteLock() throws Exception {
        InterProcessReadWriteLock mine = new InterProcessReadWriteLock(one, "/read-write");
        InterProcessReadWriteLock theirs = new InterProcessReadWriteLock(other, "/read-write");
        mine.readLock().acquire();
        check("readers share", theirs.readLock().acquire(LIMIT_SECONDS, TimeUnit.SECONDS));
        theirs.readLock().release();
        check("a writer does not", !theirs.writeLock().acquire(200, TimeUnit.MILLISECONDS));
        mine.readLock().release();
        check("a writer gets it then", theirs.writeLock().acquire(LIMIT_SECONDS, TimeUnit.SECONDS));
        theirs.writeLock().release();
        System.out.println("read-write lock ok");
    }

    private static void leaderLatch() throws Exception {
        LeaderLatch first = new LeaderLatch(one, "/leader", "first");
        LeaderLatch second = new LeaderLatch(other, "/leader", "second");
        first.start();
        check("the first leads", first.await(LIMIT_SECONDS, TimeUnit.SECONDS));
        second.start();
        awaitChildren("/leader", 2);
        check("the second does not", !second.hasLeadership());
        check("the leader is known", second.getLeader().getId().equals("first"));
        first.close();
        check("the second follows", second.await(LIMIT_SECONDS, TimeUnit.SECONDS));
        second.close();
        System.out.println("leader latch ok");
    }

    private static void cache() throws Exception {
        BlockingQueue<String> seen = new LinkedBlockingQueue<>();
        one.create().creatingParentsIfNeeded().forPath("/cache/before", bytes("old"));
        try (CuratorCache cache = CuratorCache.build(one, "/cache")) {
            cache.listenable().addListener(CuratorCacheListener.builder()
                .forInitialized(() -> seen.add("initialized"))
                .forCreates(node -> seen.add("created " + node.getPath()))
                .forChanges((old, node) -> seen.add("changed " + text(old) + " " + text(node)))
                .forDeletes(node -> seen.add("deleted " + node.getPath()))
                .build());
            cache.start();
            for (String event : List.of("created /cache", "created /cache/before", "initialized")) {
                expect(event, seen);
            }
            other.create().creatingParentsIfNeeded().forPath("/cache/a/b", bytes("deep"));
            expect("created /cache/a", seen);
            expect("created /cache/a/b", seen);
            other.setData().forPath("/cache/before", bytes("new"));
            expect("changed old new", seen);
            other.delete().forPath("/cache/a/b");
            expect("deleted /cache/a/b", seen);
            check("the cache is current", text(cache.get("/cache/before").get()).equals("new"));
        }
        System.out.println("cache ok");
    }

    private static void sharedCount() throws Exception {
        SharedCount mine = new SharedCount(one, "/count", 5);
        SharedCount theirs = new SharedCount(other, "/count", 5);
        mine.start();
        theirs.start();
        AtomicInteger tries = new AtomicInteger();
        mine.setCount(6);
        while (!theirs.trySetCount(theirs.getVersionedValue(), 7)) {
            check("a lost race is tried again", tries.incrementAndGet() < 100);
        }
        check("one and one more", other.getData().forPath("/count")[3] == 7);
        mine.close();
        theirs.close();
        System.out.println("shared count ok");
    }

    private static void transaction() throws Exception {
        List<CuratorTransactionResult> results = one.transaction().forOperations(
            one.transactionOp().create().forPath("/txn", bytes("a")),
            one.transactionOp().check().withVersion(0).forPath("/txn"),
            one.transactionOp().setData().withVersion(0).forPath("/txn", bytes("b")),
            one.transactionOp().create().forPath("/txn/child"),
            one.transactionOp().delete().forPath("/txn/child"));
        check("every operation has a result", results.size() == 5);
        check("all took effect", text(new ChildData("/txn", null, one.getData().forPath("/txn"))).equals("b"));
        try {
            one.transaction().forOperations(
                one.transactionOp().setData().forPath("/txn", bytes("c")),
                one.transactionOp().delete().forPath("/absent"));
            check("a transaction with a failing operation fails", false);
        } catch (KeeperException.NoNodeException expected) {
            check("the failing operation is named", expected.getResults().size() == 2);
        }
        check("nothing took effect", new String(one.getData().forPath("/txn")).equals("b"));
        System.out.println("transaction ok");
    }

    private static void container() throws Exception {
        one.create().withMode(CreateMode.CONTAINER).forPath("/container");
        one.create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/container/member-");
        check("a container takes ephemerals", other.getChildren().forPath("/container").size() == 1);
        System.out.println("container ok");
    }

    private static void awaitChildren(String path, int wanted) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        int found = -1;
        while (found != wanted) {
            CountDownLatch changed = new CountDownLatch(1);
            found = one.getChildren().usingWatcher((org.apache.curator.framework.api.CuratorWatcher)
                event -> changed.countDown()).forPath(path).size();
            if (found != wanted) {
                long left = deadline - System.nanoTime();
                check(path + " has " + wanted + " children", changed.await(left, TimeUnit.NANOSECONDS));
            }
        }
    }

    private static void expect(String event, BlockingQueue<String> seen) throws Exception {
        String found = seen.poll(LIMIT_SECONDS, TimeUnit.SECONDS);
        check("wanted: " + event + ", seen: " + found, event.equals(found));
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

    private static String text(ChildData node) {
        return new String(node.getData());
    }
}
