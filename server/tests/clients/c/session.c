/*
 * A session of the C client: create, get, set under a watch, ephemerals, a multi, delete.
 *
 * Prints each step; the first surprise ends the program with exit status 1.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zookeeper/zookeeper.h>

enum { LIMIT_SECONDS = 20, EVENTS_MAX = 64, TEXT_MAX = 256 };

/* Every event in the order it came; `seen` is how many the program has asked for. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t came = PTHREAD_COND_INITIALIZER;
static struct { int type, state; char path[TEXT_MAX]; } events[EVENTS_MAX];
static int events_count, events_seen;

static void check(const char *what, int got, int wanted)
{
    if (got != wanted) {
        printf("%s: got %d (%s), wanted %d\n", what, got, zerror(got), wanted);
        exit(1);
    }
    printf("%s %d\n", what, got);
}

static void check_text(const char *what, const char *got, const char *wanted)
{
    if (strcmp(got, wanted) != 0) {
        printf("%s: got %s, wanted %s\n", what, got, wanted);
        exit(1);
    }
    printf("%s %s\n", what, got);
}

static void watcher(zhandle_t *zh, int type, int state, const char *path, void *context)
{
    (void)zh;
    (void)context;
    pthread_mutex_lock(&lock);
    if (events_count < EVENTS_MAX) {
        events[events_count].type = type;
        events[events_count].state = state;
        snprintf(events[events_count].path, TEXT_MAX, "%s", path);
        events_count++;
    }
    pthread_cond_signal(&came);
    pthread_mutex_unlock(&lock);
}

static void expect_event(const char *what, int type, const char *path)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += LIMIT_SECONDS;
    pthread_mutex_lock(&lock);
    int late = 0;
    while (events_count == events_seen && late == 0)
        late = pthread_cond_timedwait(&came, &lock, &deadline);
    pthread_mutex_unlock(&lock);
    check("an event in time", late, 0);
    check(what, events[events_seen].type, type);
    check("its state", events[events_seen].state, ZOO_CONNECTED_STATE);
    check_text("its path", events[events_seen].path, path);
    events_seen++;
}

static void expect_data(zhandle_t *zh, const char *path, const char *wanted, int version)
{
    char data[TEXT_MAX + 1];
    int length = TEXT_MAX;
    struct Stat stat;
    check("get under a watch", zoo_wget(zh, path, watcher, NULL, data, &length, &stat), ZOK);
    data[length] = '\0';
    check_text("data", data, wanted);
    check("version", stat.version, version);
    check("length", stat.dataLength, (int)strlen(wanted));
}

static void data_and_watches(zhandle_t *zh)
{
    char path[TEXT_MAX];
    check("exists", zoo_wexists(zh, "/c", watcher, NULL, NULL), ZNONODE);
    check("create", zoo_create(zh, "/c", "first", 5, &ZOO_OPEN_ACL_UNSAFE, 0, path, TEXT_MAX), ZOK);
    check_text("path", path, "/c");
    expect_event("creation", ZOO_CREATED_EVENT, "/c");
    check("create again", zoo_create(zh, "/c", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0), ZNODEEXISTS);

    expect_data(zh, "/c", "first", 0);
    check("set", zoo_set(zh, "/c", "second", 6, 0), ZOK);
    expect_event("change", ZOO_CHANGED_EVENT, "/c");
    check("set with an old version", zoo_set(zh, "/c", "x", 1, 0), ZBADVERSION);

    expect_data(zh, "/c", "second", 1);
    check("delete", zoo_delete(zh, "/c", 1), ZOK);
    expect_event("deletion", ZOO_DELETED_EVENT, "/c");
    check("delete again", zoo_delete(zh, "/c", -1), ZNONODE);
}

static void children_and_ephemerals(zhandle_t *zh)
{
    char path[TEXT_MAX];
    struct String_vector names;
    struct ACL_vector acl;
    struct Stat stat;
    int flags = ZOO_EPHEMERAL | ZOO_SEQUENCE;
    check("parent", zoo_create(zh, "/group", NULL, -1, &ZOO_READ_ACL_UNSAFE, 0, NULL, 0), ZOK);
    check("no right", zoo_create(zh, "/group/x", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0), ZNOAUTH);
    check("get ACL", zoo_get_acl(zh, "/group", &acl, &stat), ZOK);
    check("entries", acl.count, 1);
    check("rights", acl.data[0].perms, ZOO_PERM_READ);
    deallocate_ACL_vector(&acl);

    check("watch children", zoo_wget_children(zh, "/", watcher, NULL, &names), ZOK);
    deallocate_String_vector(&names);
    check("member", zoo_create(zh, "/m-", "", 0, &ZOO_OPEN_ACL_UNSAFE, flags, path, TEXT_MAX), ZOK);
    check_text("path", path, "/m-0000000002");
    expect_event("child", ZOO_CHILD_EVENT, "/");
    check("exists", zoo_exists(zh, path, 0, &stat), ZOK);
    check("owner is this session", stat.ephemeralOwner == zoo_client_id(zh)->client_id, 1);
    check("children", zoo_get_children(zh, "/", 0, &names), ZOK);
    check("number of children", names.count, 3);
    deallocate_String_vector(&names);
}

static void multi(zhandle_t *zh)
{
    char path[TEXT_MAX];
    zoo_op_t ops[3];
    zoo_op_result_t results[3];
    zoo_create_op_init(&ops[0], "/multi", "", 0, &ZOO_OPEN_ACL_UNSAFE, 0, path, TEXT_MAX);
    zoo_set_op_init(&ops[1], "/multi", "x", 1, 0, NULL);
    zoo_check_op_init(&ops[2], "/multi", 1);
    check("multi", zoo_multi(zh, 3, ops, results), ZOK);
    check("multi again", zoo_multi(zh, 3, ops, results), ZNODEEXISTS);
    check("its first result", results[0].err, ZNODEEXISTS);
    check("its second result", results[1].err, ZRUNTIMEINCONSISTENCY);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        printf("usage: session HOST:PORT\n");
        return 2;
    }
    zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
    zhandle_t *zh = zookeeper_init(argv[1], watcher, 10000, NULL, NULL, 0);
    check("client", zh != NULL, 1);
    expect_event("session", ZOO_SESSION_EVENT, "");
    data_and_watches(zh);
    children_and_ephemerals(zh);
    multi(zh);
    check("close", zookeeper_close(zh), ZOK);
    printf("done\n");
    return 0;
}
