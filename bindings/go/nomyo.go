// Package nomyo is the Go face of libnomyo, the native client for NOMYO's end-to-end-encrypted chat endpoint.
//
//	client, err := nomyo.NewClient(nomyo.WithAPIKey(os.Getenv("NOMYO_API_KEY")))
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	answer, err := client.Create(ctx, nomyo.ChatRequest{
//		Model:    "Qwen/Qwen3-0.6B",
//		Messages: []nomyo.Message{{Role: "user", Content: "Hello"}},
//	})
//	if err != nil {
//		return err
//	}
//	defer answer.Close()
//	text, err := answer.Content(0)
//
// # Blocking
//
// A call blocks its goroutine, and with it one thread of the system, until the answer is there or the deadline has
// passed. The library cannot interrupt a call yet: a context that is cancelled while a call is under way does not end
// it, a deadline does. See [Client.CreateJSON].
//
// # Memory
//
// The library keeps keys and answers in memory that it wipes. Go does not: what goes in as a string or []byte, and what
// the methods of [Response] return, is ordinary garbage-collected memory that nobody wipes. Close a Response when it has
// been read; the copy in the library is wiped then.
//
// # Linking
//
// The package needs cgo and links with -lnomyo. Say where that is with CGO_LDFLAGS, for example
// CGO_LDFLAGS="-L/opt/nomyo/lib -Wl,-rpath,/opt/nomyo/lib".
package nomyo

/*
#cgo CFLAGS: -I${SRCDIR}/../../include
#cgo LDFLAGS: -lnomyo
#include <nomyo.h>
*/
import "C"

import "unsafe"

// Version is the version of the library that is loaded, such as "0.1.0".
func Version() string {
	return C.GoString(C.nomyo_version())
}

// checkABI refuses a library that was not made for the header that this package was compiled with.
func checkABI() error {
	if C.nomyo_abi_version() != C.NOMYO_ABI_VERSION {
		return argumentError("the libnomyo that is loaded has another ABI: install the one this program was built for")
	}
	return nil
}

// bytesOf gives b to C for the length of a call.
func bytesOf(b []byte) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.SliceData(b)), C.size_t(len(b))
}

// stringBytes gives s to C for the length of a call.
func stringBytes(s string) (*C.uint8_t, C.size_t) {
	return (*C.uint8_t)(unsafe.StringData(s)), C.size_t(len(s))
}
