// Package nomyo is the Go face of libnomyo, the native client for NOMYO's end-to-end-encrypted chat endpoint.
//
//	client, err := nomyo.NewClient(nomyo.WithEnvironment()) // NOMYO_API_KEY
//	if err != nil {
//		return err
//	}
//	defer client.Close() // wipes the keys
//	answer, err := client.Create(ctx, nomyo.ChatRequest{
//		Model:    "Qwen/Qwen3-0.6B",
//		Messages: []nomyo.Message{{Role: "user", Content: "Hello"}},
//	})
//	if err != nil {
//		return err
//	}
//	defer answer.Close() // wipes the answer
//	fmt.Println(answer.Content())
//
// # Memory
//
// The library keeps keys and answers in memory that it wipes. Go does not: a string or []byte that goes in or comes out is
// ordinary garbage-collected memory. Where that is too much, give the API key as [SecretBytes], the request to
// [Client.CreateJSON] out of [SecretBytes], and read the answer with [Response.ViewContent]: then Go never has a copy.
//
// Close clients, responses and secrets. The garbage collector wipes and frees an object that was not closed, but perhaps
// never.
//
// # Linking
//
// The package needs cgo. It links lib/GOOS_GOARCH/libnomyo.a, which lies beside it, or with -tags nomyo_dynamic the shared
// library that pkg-config finds as nomyo. README.md says more.
package nomyo

// #include "library.h"
import "C"

// Version is the version of the library that is linked, such as "0.1.0".
func Version() string { return C.GoString(C.nomyo_version()) }

// MemoryPolicy is what to do about locking secrets in memory.
type MemoryPolicy int32

// The policies; see [WithMemoryPolicy].
const (
	MemoryOff     MemoryPolicy = C.NOMYO_MEMORY_OFF     // do not lock, but wipe
	MemoryPrefer  MemoryPolicy = C.NOMYO_MEMORY_PREFER  // lock what the system allows
	MemoryRequire MemoryPolicy = C.NOMYO_MEMORY_REQUIRE // refuse to work when a lock is refused
)

// MemoryLevel is how much of the library's memory is protected.
type MemoryLevel int32

// The levels, rising.
const (
	MemoryWipeOnly MemoryLevel = C.NOMYO_MEMORY_LEVEL_WIPE_ONLY // nothing is locked
	MemoryPartial  MemoryLevel = C.NOMYO_MEMORY_LEVEL_PARTIAL   // some could not be locked
	MemoryFull     MemoryLevel = C.NOMYO_MEMORY_LEVEL_FULL      // locked but for ciphertext, and kept out of core dumps
)

// MemoryInfo is what protects secrets in this process, from what the system calls returned.
type MemoryInfo struct {
	Policy                 MemoryPolicy // the strictest of the clients that are open
	Level                  MemoryLevel
	Limit                  uint64 // RLIMIT_MEMLOCK in bytes; math.MaxUint64 when there is none
	Mapped                 uint64 // bytes that the library has
	Locked, Refused        uint64 // bytes of them that are locked, and that the system refused to lock
	DumpExcluded, ForkZero bool   // all are kept out of core dumps; secrets read as zeros in a forked child
}

// Memory reports what is in force.
func Memory() MemoryInfo {
	var m C.nomyo_memory_info
	C.nomyo_memory_info_get(&m, C.sizeof_nomyo_memory_info)
	return MemoryInfo{
		Policy: MemoryPolicy(m.policy), Level: MemoryLevel(m.level), Limit: uint64(m.limit), Mapped: uint64(m.mapped),
		Locked: uint64(m.locked), Refused: uint64(m.refused),
		DumpExcluded: m.dump_excluded != 0, ForkZero: m.fork_excluded != 0,
	}
}
