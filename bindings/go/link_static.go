//go:build !nomyo_dynamic && !musl

package nomyo

/*
#cgo CFLAGS: -DNOMYO_STATIC
#cgo linux,amd64 LDFLAGS: ${SRCDIR}/lib/linux_amd64/libnomyo.a
#cgo linux,arm64 LDFLAGS: ${SRCDIR}/lib/linux_arm64/libnomyo.a
#cgo darwin,amd64 LDFLAGS: ${SRCDIR}/lib/darwin_amd64/libnomyo.a
#cgo darwin,arm64 LDFLAGS: ${SRCDIR}/lib/darwin_arm64/libnomyo.a
#cgo darwin LDFLAGS: -framework Security -framework CoreFoundation -liconv
#cgo windows,amd64 LDFLAGS: ${SRCDIR}/lib/windows_amd64/libnomyo.a
#cgo windows LDFLAGS: -Wl,-Bstatic -lpthread -Wl,-Bdynamic -lws2_32 -lbcrypt -lntdll -luserenv -lcrypt32 -lsecur32 -lncrypt -ladvapi32 -ldbghelp -lsynchronization
#cgo linux LDFLAGS: -static-libgcc -lm -ldl -lpthread
*/
import "C"

// Imported so that go mod vendor keeps what lies beside them.
import (
	_ "github.com/nomyo-ai/libnomyo/bindings/go/lib/darwin_amd64"
	_ "github.com/nomyo-ai/libnomyo/bindings/go/lib/darwin_arm64"
	_ "github.com/nomyo-ai/libnomyo/bindings/go/lib/linux_amd64"
	_ "github.com/nomyo-ai/libnomyo/bindings/go/lib/linux_arm64"
	_ "github.com/nomyo-ai/libnomyo/bindings/go/lib/windows_amd64"
)
