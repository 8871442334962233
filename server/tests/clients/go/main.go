// What a Go service does with ZooKeeper: create, get, update with the version, await a change.
//
// Prints each step; the first surprise ends the program with exit status 1.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/samuel/go-zookeeper/zk"
)

const (
	path  = "/test-path"
	limit = 20 * time.Second
	// The state that a server puts into its events; this client has no name for it.
	stateSyncConnected = zk.State(3)
)

func main() {
	if len(os.Args) != 2 {
		fail("usage: main HOST:PORT")
	}
	conn, events, err := zk.Connect([]string{os.Args[1]}, 10*time.Second)
	check("connect", err)
	defer conn.Close()
	awaitSession(events)

	created, err := conn.Create(path, []byte("test-data"), 0, zk.WorldACL(zk.PermAll))
	check("create", err)
	expect("created path", created, path)
	_, err = conn.Create(path, nil, 0, zk.WorldACL(zk.PermAll))
	expect("second create", err, zk.ErrNodeExists)

	stat := get(conn, "test-data", 0)
	_, err = conn.Set(path, []byte("new-data"), stat.Version)
	check("update with the version", err)
	get(conn, "new-data", 1)
	_, err = conn.Set(path, []byte("late"), stat.Version)
	expect("update with an old version", err, zk.ErrBadVersion)

	watchChange(conn)
	watchDeletion(conn)

	ephemeral, err := conn.Create("/member-", nil, zk.FlagEphemeral|zk.FlagSequence, zk.WorldACL(zk.PermAll))
	check("create ephemeral sequential", err)
	expect("sequential path", ephemeral, "/member-0000000002")
	_, err = conn.Multi(
		&zk.CreateRequest{Path: "/multi", Acl: zk.WorldACL(zk.PermAll)},
		&zk.DeleteRequest{Path: "/multi", Version: 0},
	)
	check("multi", err)
	fmt.Println("done")
}

// awaitSession returns when the session is up.
func awaitSession(events <-chan zk.Event) {
	deadline := time.After(limit)
	for {
		select {
		case event := <-events:
			if event.State == zk.StateHasSession {
				return
			}
		case <-deadline:
			fail("no session within %v", limit)
		}
	}
}

func get(conn *zk.Conn, data string, version int32) *zk.Stat {
	got, stat, err := conn.Get(path)
	check("get", err)
	expect("data", string(got), data)
	expect("version", stat.Version, version)
	expect("length", stat.DataLength, int32(len(data)))
	return stat
}

func watchChange(conn *zk.Conn) {
	exists, stat, events, err := conn.ExistsW(path)
	check("exists", err)
	expect("exists", exists, true)
	_, err = conn.Set(path, []byte("watched"), stat.Version)
	check("update of the watched node", err)
	await(events, zk.EventNodeDataChanged)
}

func watchDeletion(conn *zk.Conn) {
	_, stat, events, err := conn.ExistsW(path)
	check("exists", err)
	check("delete", conn.Delete(path, stat.Version))
	await(events, zk.EventNodeDeleted)
	exists, _, events, err := conn.ExistsW(path)
	check("exists of what is gone", err)
	expect("exists", exists, false)
	_, err = conn.Create(path, nil, 0, zk.WorldACL(zk.PermAll))
	check("create again", err)
	await(events, zk.EventNodeCreated)
}

func await(events <-chan zk.Event, wanted zk.EventType) {
	select {
	case event := <-events:
		check("event", event.Err)
		expect("event type", event.Type, wanted)
		expect("event path", event.Path, path)
		expect("event state", event.State, stateSyncConnected)
	case <-time.After(limit):
		fail("no %v within %v", wanted, limit)
	}
}

func check(what string, err error) {
	if err != nil {
		fail("%s: %v", what, err)
	}
	fmt.Println(what, "ok")
}

func expect(what string, got, wanted interface{}) {
	if got != wanted {
		fail("%s: got %v, wanted %v", what, got, wanted)
	}
	fmt.Println(what, got)
}

func fail(format string, values ...interface{}) {
	fmt.Printf(format+"\n", values...)
	os.Exit(1)
}
