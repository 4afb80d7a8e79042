//go:build !cgo

package nomyo

// Without cgo the compiler leaves out every file that calls the library. This line is the error that it prints instead. A file
// that neither imports "C" nor has the build constraint would add errors of its own.
var _ int = "nomyo needs cgo: install a C compiler such as gcc, and build with CGO_ENABLED=1"
