package nomyo

/*
#include "library.h"
#include <stdint.h>
*/
import "C"

import (
	"log/slog"
	"regexp"
	"runtime/cgo"
	"strconv"
	"strings"
	"unsafe"
)

// nomyoGoLog is called by the library, through config.go, with the handle of a logger.
//
//export nomyoGoLog
func nomyoGoLog(logger C.uintptr_t, level C.int32_t, line *C.char, n C.size_t) {
	defer func() { _ = recover() }() // a panic must not unwind the library
	message, attributes := parseLine(string(unsafe.Slice((*byte)(unsafe.Pointer(line)), n)))
	cgo.Handle(logger).Value().(*slog.Logger).LogAttrs(callersContext(), slogLevel(level), message, attributes...)
}

// slogLevel is what a NOMYO_LOG_ number is in slog.
func slogLevel(level C.int32_t) slog.Level {
	return []slog.Level{
		C.NOMYO_LOG_ERROR: slog.LevelError, C.NOMYO_LOG_WARN: slog.LevelWarn, C.NOMYO_LOG_INFO: slog.LevelInfo,
		C.NOMYO_LOG_DEBUG: slog.LevelDebug,
	}[level]
}

// attempt is a line about one attempt, such as "POST https://host/path attempt=1 status=200".
var attempt = regexp.MustCompile(`^[A-Z]+ https?://\S+ attempt=`)

// parseLine splits the line of an attempt into a message and its name=value words. Other lines are sentences, and stay whole.
func parseLine(line string) (message string, attributes []slog.Attr) {
	if !attempt.MatchString(line) {
		return line, nil
	}
	words := strings.Split(line, " ")
	rest := words[:2]
	for _, word := range words[2:] {
		name, value, found := strings.Cut(word, "=")
		if n, err := strconv.ParseInt(value, 10, 64); found && err == nil {
			attributes = append(attributes, slog.Int64(name, n))
		} else if found {
			attributes = append(attributes, slog.String(name, value))
		} else {
			rest = append(rest, word)
		}
	}
	return strings.Join(rest, " "), attributes
}
