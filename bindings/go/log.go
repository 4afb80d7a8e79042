package nomyo

/*
#include "library.h"
#include <stdint.h>
*/
import "C"

import (
	"context"
	"log/slog"
	"runtime/cgo"
	"unsafe"
)

// nomyoGoLog is called by the library, through config.go, with the handle of a logger.
//
//export nomyoGoLog
func nomyoGoLog(logger C.uintptr_t, level C.int32_t, line *C.char, n C.size_t) {
	defer func() { _ = recover() }() // a panic must not unwind the library
	text := string(unsafe.Slice((*byte)(unsafe.Pointer(line)), n))
	cgo.Handle(logger).Value().(*slog.Logger).Log(context.Background(), slogLevel(level), text)
}

// slogLevel is what a NOMYO_LOG_ number is in slog.
func slogLevel(level C.int32_t) slog.Level {
	return []slog.Level{
		C.NOMYO_LOG_ERROR: slog.LevelError, C.NOMYO_LOG_WARN: slog.LevelWarn, C.NOMYO_LOG_INFO: slog.LevelInfo,
		C.NOMYO_LOG_DEBUG: slog.LevelDebug,
	}[level]
}
