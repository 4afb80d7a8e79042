// Package lib is where libnomyo.a for macOS on amd64 belongs.
package lib
