//go:build !nomyo_dynamic && musl

package nomyo

/*
#cgo CFLAGS: -DNOMYO_STATIC -DNOMYO_MUSL
#cgo linux,amd64 LDFLAGS: ${SRCDIR}/lib/linux_amd64_musl/libnomyo.a
#cgo linux,arm64 LDFLAGS: ${SRCDIR}/lib/linux_arm64_musl/libnomyo.a
*/
import "C"

// Imported so that go mod vendor keeps what lies beside them.
import (
	_ "github.com/nomyo-ai/libnomyo/bindings/go/lib/linux_amd64_musl"
	_ "github.com/nomyo-ai/libnomyo/bindings/go/lib/linux_arm64_musl"
)
