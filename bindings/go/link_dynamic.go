//go:build nomyo_dynamic

package nomyo

// #cgo pkg-config: nomyo
import "C"
